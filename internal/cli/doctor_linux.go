package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/cli/doctor"
	"github.com/sightglass/sightglass/internal/encryption"
	"github.com/sightglass/sightglass/internal/probesite"
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
	return append(checksOf(degradations), encrypted()...), hooksOf(hooks), err
}

// maxProbeCost is the receiver's default of what a probe may cost.
const maxProbeCost = 5 * time.Microsecond

// encrypted tells which libraries encrypt on this host, and whether requests over
// them can be seen.
func encrypted() []doctor.Check {
	cfg := encryption.Config{Proc: "/proc", Root: "/", Log: zap.NewNop()}
	var err error
	cfg.Kernel, cfg.Prices, err = encryption.Calibrate()
	cfg.Prices.Most = maxProbeCost
	out := checksOfTLS(encryption.Survey(cfg))
	if paused, err := bpf.PausedTLS(); err == nil { // without privileges other checks tell of that
		out = append(out, checksOfPauses(cfg.Proc, paused)...)
	}
	if errors.Is(err, fs.ErrPermission) { // and of that
		return out
	}
	return append(out, priceCheck(&cfg.Prices, err))
}

// checksOfPauses tells which processes an agent that runs lets go without probes.
func checksOfPauses(proc string, paused map[uint32]time.Time) []doctor.Check {
	var out []doctor.Check
	for _, pid := range slices.Sorted(maps.Keys(paused)) {
		name, err := os.ReadFile(filepath.Join(proc, strconv.FormatUint(uint64(pid), 10), "comm"))
		if err != nil {
			continue // it has ended
		}
		if len(out) == maxPrograms {
			break
		}
		out = append(out, doctor.Check{
			Name: "TLS", Status: doctor.Warn,
			Found: fmt.Sprintf("%s %d: TLS, not decoded until %s: %s", strings.TrimSpace(string(name)), pid,
				paused[pid].Format(time.TimeOnly), encryption.ReasonBudget),
			Missing: "its requests", Remedy: "allow more by requests.tls.max_cpu",
		})
	}
	return out
}

// priceCheck tells what a hit of a probe costs on this machine.
func priceCheck(p *encryption.Prices, err error) doctor.Check {
	c := doctor.Check{Name: "TLS probes", Status: doctor.Info, Found: fmt.Sprintf("a hit takes %v, %v where the kernel cannot emulate the instruction, and %v more at a return",
		p.Of(probesite.Emulated), p.Of(probesite.SingleStepped), p.Return)}
	if err != nil {
		c.Found += ", assumed: " + err.Error()
	}
	return c
}

// maxPrograms bounds the programs that are listed.
const maxPrograms = 20

// checksOfTLS makes checks of what a survey has found.
func checksOfTLS(libraries []encryption.Library, programs []encryption.Program) []doctor.Check {
	out := make([]doctor.Check, 0, len(libraries)+min(len(programs), maxPrograms))
	for i := range libraries {
		l := &libraries[i]
		c := doctor.Check{Name: "TLS library", Status: doctor.OK, Found: fmt.Sprintf("%s, %s, %s", l.Name, l.Path, usedBy(l.Processes))}
		if strings.HasSuffix(l.Path, "/libssl.so.1.1") {
			c.Found += " (1.1 is unproven: tried by hand only)"
		}
		if l.Missing != "" {
			c.Found += ", without " + l.Missing
		}
		if !l.Read {
			c.Status, c.Found, c.Missing = doctor.Warn, c.Found+": "+l.Reason, "requests of programs that use it"
			c.Remedy = "allow dearer probes by requests.tls.max_probe_cost, if that is what is in the way"
		}
		out = append(out, c)
	}
	for i := range programs[:min(len(programs), maxPrograms)] {
		p := &programs[i]
		out = append(out, doctor.Check{Name: "TLS", Status: doctor.Info, Found: fmt.Sprintf("%s %d: TLS, not decoded: %s", p.Name, p.PID, p.Why)})
	}
	return out
}

func usedBy(processes int) string {
	switch processes {
	case 0:
		return "used by no process that can be seen"
	case 1:
		return "used by 1 process"
	default:
		return fmt.Sprintf("used by %d processes", processes)
	}
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
