package encryption

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sightglass/sightglass/internal/bpf"
)

// Program is a process that encrypts by code which is not followed.
type Program struct {
	PID  uint32
	Name string
	Why  string
}

// looking is an Attacher that attaches nothing.
type looking struct{}

func (looking) AttachTLS(string, []bpf.TLSProbe) (io.Closer, error) { return io.NopCloser(nil), nil }

// Survey tells which libraries of this machine could be followed, and which
// programs could not be whatever libraries they have. It attaches nothing.
func Survey(cfg Config) ([]Library, []Program) {
	f := New(cfg, looking{})
	f.system(time.Now())
	f.everything(nil)
	f.publish()
	var programs []Program
	for pid := range f.why {
		f.explain(pid)
	}
	for pid, why := range f.why {
		if why == ReasonUnknown || why == ReasonUnmatched {
			continue
		}
		name, err := os.ReadFile(filepath.Join(cfg.Proc, strconv.FormatUint(uint64(pid), 10), "comm"))
		if err == nil {
			programs = append(programs, Program{PID: pid, Name: strings.TrimSpace(string(name)), Why: why})
		}
	}
	slices.SortFunc(programs, func(a, b Program) int { return int(a.PID) - int(b.PID) })
	return f.report, programs
}
