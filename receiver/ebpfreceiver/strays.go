//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/event"
)

// strays tells of processes whose requests may be missing, each once: they move
// bytes in ways that the capture does not follow. Used by one goroutine.
type strays struct {
	told map[event.ProcessKey]bpf.Stray
}

// tell logs what is new, and returns it. What the kernel side no longer lists is
// forgotten.
func (s *strays) tell(all []bpf.Stray, name func(event.ProcessKey) string, log *zap.Logger) (fresh []bpf.Stray) {
	now := make(map[event.ProcessKey]bpf.Stray, len(all))
	for _, stray := range all {
		now[stray.Process] = stray
		if s.told[stray.Process] == stray {
			continue
		}
		log.Info("Requests of this process are seen in part or not at all.",
			zap.String("process", name(stray.Process)), zap.Uint32("pid", stray.Process.TGID), zap.Strings("because of", waysOf(stray)))
		fresh = append(fresh, stray)
	}
	s.told = now
	return fresh
}

func waysOf(s bpf.Stray) (ways []string) {
	if s.URing {
		ways = append(ways, "io_uring")
	}
	if s.Compat {
		ways = append(ways, "32-bit system calls")
	}
	return ways
}
