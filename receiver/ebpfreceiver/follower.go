//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"errors"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/interest"
)

// follower keeps the kernel's filter and the activity stage's up to date with
// what anybody wants. Until run is called the kernel captures no system calls.
type follower struct {
	registry *interest.Registry
	kernel   kernel
	stage    *activityStage
	narrow   bool // the kernel filters, too
	log      *zap.Logger
	changed  chan struct{}
	end      func() // of the subscription

	directories bool // changes of working directories are captured; run's goroutine only

	following atomic.Bool   // the kernel has been asked
	began     chan struct{} // closed when it has
	told      atomic.Bool   // of names that nobody captures
}

func newFollower(r *interest.Registry, k kernel, stage *activityStage, log *zap.Logger) *follower {
	f := &follower{registry: r, kernel: k, stage: stage, narrow: stage.cfg.KernelFilter, log: log, changed: make(chan struct{}, 1), began: make(chan struct{})}
	f.end = r.Subscribe(func() {
		select {
		case f.changed <- struct{}{}:
		default: // a look is due already
		}
	})
	stage.wanted.Store(newWanted(r.Wanted()))
	return f
}

// run asks the kernel for what is wanted, and again when that changes, until
// quit is closed.
func (f *follower) run(quit <-chan struct{}) {
	f.follow()
	for {
		select {
		case <-f.changed:
			f.follow()
		case <-quit:
			return
		}
	}
}

// follow applies the present interest: first to the records that still come,
// then to the kernel, when it grows; nothing is lost by the other order.
func (f *follower) follow() {
	w := f.registry.Wanted()
	f.stage.wanted.Store(newWanted(w))
	environments := w.Set.Environment()
	f.stage.enrich.processes.KeepEnvironments(environments)
	set := captured(w)
	if !f.narrow {
		set = set.Whole()
	}
	unknown, err := f.kernel.SetInterest(set)
	err = errors.Join(err, f.kernel.SetExecEnvironment(environments))
	if directories := w.Set.Directories(); directories != f.directories {
		f.directories = directories
		if directories {
			f.stage.enrich.processes.FollowDirectories()
		}
	}
	if !f.following.Swap(true) {
		close(f.began)
	}
	if err != nil {
		f.log.Error("The kernel keeps to what was wanted before.", zap.Error(err))
	}
	if len(unknown) > 0 && !f.told.Swap(true) {
		f.log.Debug("Events that are wanted and not captured.", zap.Strings("names", unknown))
	}
}
