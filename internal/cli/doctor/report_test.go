package doctor

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/privileges"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func requireGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "%s; -update rewrites it", path)
}

var hooks = []Hook{
	{Name: "raw_tp/sys_enter", Attached: true, Required: true, For: "system calls"},
	{Name: "uprobe/ssl", Attached: false, For: "requests over TLS", Error: "no libssl\nverifier log", Remedy: "install it"},
}

// installed is a text as the installed program would write it.
func installed(t *testing.T, text string) string {
	t.Helper()
	program, err := os.Executable()
	require.NoError(t, err)
	return strings.ReplaceAll(text, program, "/usr/local/bin/sightglass")
}

func TestReports(t *testing.T) {
	broken := hooks[0]
	broken.Attached, broken.Error = false, "permission denied\x1b[2J"
	sick := healthy().with(map[string]*fstest.MapFile{"proc/self/status": text("CapEff:\t0"), "proc/self/ns/pid": link("pid:[1]")})
	refused := hooks[0]
	refused.Attached, refused.Remedy = false, privileges.Remedy()
	refused.Error = "CAP_BPF and CAP_PERFMON are missing: " + refused.Remedy
	for name, c := range map[string]struct {
		report  Report
		mainJob bool
	}{
		"healthy.txt":  {NewReport(Examine(healthy()), hooks[:1], nil), true},
		"partial.txt":  {NewReport(Examine(healthy()), hooks, nil), true},
		"broken.txt":   {NewReport(Examine(sick), []Hook{broken, hooks[1]}, nil), false},
		"no_probe.txt": {NewReport(Examine(sick), nil, errors.New("cannot load: operation not permitted\nlog")), false},
		"refused.txt":  {NewReport(Examine(sick), []Hook{refused}, errors.New(refused.Error)), false},
	} {
		require.Equal(t, c.mainJob, c.report.MainJob, name)
		requireGolden(t, name, installed(t, c.report.Text(false)))
	}
	requireGolden(t, "colour.txt", installed(t, NewReport(Examine(sick), hooks, nil).Text(true)))
}

func TestJSON(t *testing.T) {
	out, err := json.Marshal(NewReport(nil, hooks[:1], nil))
	require.NoError(t, err)
	require.JSONEq(t, `{"checks": null, "hooks": [{"name": "raw_tp/sys_enter", "attached": true, "required": true, "for": "system calls"}], "main_job": true}`, string(out))
}
