package cli

import (
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/cli/doctor"
)

func kernelRelease() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(name.Release[:])
}

// probe attaches every hook and takes it off again.
func probe() ([]doctor.Check, []doctor.Hook, error) {
	hooks, degradations, err := bpf.Probe()
	return checksOf(degradations), hooksOf(hooks), err
}

func hooksOf(hooks []bpf.Hook) []doctor.Hook {
	out := make([]doctor.Hook, 0, len(hooks))
	for _, h := range hooks {
		one := doctor.Hook{Name: h.Name, Attached: h.Attached, Required: h.Essential, For: h.Provides}
		if !h.Attached {
			one.Missing, one.Remedy = h.Provides, h.Remedy
			if h.Err != nil {
				one.Error = h.Err.Error()
			}
		}
		out = append(out, one)
	}
	return out
}

// checksOf turns what works in a slower or coarser way into checks.
func checksOf(degradations []bpf.Degradation) []doctor.Check {
	out := make([]doctor.Check, 0, len(degradations))
	for _, d := range degradations {
		out = append(out, doctor.Check{Name: "older kernel", Status: doctor.Info, Found: "no " + d.Name + ": " + d.Consequence})
	}
	return out
}
