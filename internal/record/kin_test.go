package record

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
)

// TestKin: the process table tells who did it and who stands above; without it
// the record does, as far as it goes.
func TestKin(t *testing.T) {
	names := func(v *View, atMost int) (out []string) {
		v.Kin(func(p *process.Process) bool {
			out = append(out, string(process.AppendKey(nil, p.Key))+p.Name)
			return len(out) < atMost
		})
		return out
	}
	v := view(t, "", nil, map[string]any{
		schema.ProcessKey: "10:1", schema.ProcessName: "nc", schema.ProcessTTY: int64(5),
		schema.ProcessParentKey: "9:1", schema.ProcessAncestors: []any{"sh", "cron"},
	})
	require.Equal(t, []string{"10:1nc", "9:1sh"}, names(v, 9))
	require.Equal(t, []string{"10:1nc"}, names(v, 1))
	v.Kin(func(p *process.Process) bool {
		require.EqualValues(t, 5, p.TTY)
		return true
	})
	v.SetProcesses(chains{"10:1": {{Key: process.Key{TGID: 10, Start: 1}, Name: "nc"}, {Key: pid(9), Name: "sh"}, {Key: pid(1), Name: "cron"}}}, 0)
	require.Equal(t, []string{"10:1nc", "9:100sh", "1:100cron"}, names(v, 9))

	require.Empty(t, names(view(t, "", nil, nil), 9))
	require.Len(t, names(view(t, "", nil, map[string]any{schema.ProcessKey: "10:1", schema.ProcessParentKey: "9:1"}), 9), 1, "the parent may be a shell")
}
