package bpf

import (
	"maps"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/syscalls"
)

// TestEverySyscall makes the real call of every row of the table and compares
// every argument of its record. A row without a trigger fails.
func TestEverySyscall(t *testing.T) {
	triggers := map[string]func(*call){}
	for _, m := range []map[string]func(*call){
		fileTriggers, netTriggers, processTriggers, descriptorTriggers, systemTriggers, messageTriggers,
	} {
		maps.Copy(triggers, m)
	}
	eachMode(t, allSyscalls(), func(t *testing.T, a *Agent) {
		for i := range syscalls.Table {
			spec := &syscalls.Table[i]
			t.Run(spec.Name, func(t *testing.T) {
				if len(spec.Numbers.Native(runtime.GOARCH)) == 0 {
					t.Skipf("%s has no such call", runtime.GOARCH)
				}
				trigger, ok := triggers[spec.Name]
				require.True(t, ok, "the row %s has no trigger: add one", spec.Name)
				if trigger == nil {
					t.Skip("made by a program of its own: TestBirths")
				}
				onThread(t, func() {
					c := newCall(t, a, spec)
					trigger(c)
					c.verify()
				})
			})
		}
	})
}

// allSyscalls are the names of all calls that can be captured.
func allSyscalls() []string {
	names := make([]string, len(syscalls.Table))
	for i := range syscalls.Table {
		names[i] = syscalls.Table[i].Name
	}
	return names
}
