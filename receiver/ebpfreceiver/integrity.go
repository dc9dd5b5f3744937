//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/critical"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// integrity turns the changes of critical files into records. A deed is a batch
// of one record, complete but for what became of the file.
//
//	activity stage ─touch─> critical.Integrity ─told─> queue
type integrity struct {
	watch *critical.Integrity[plog.Logs]
	build *translate.Logs // the activity stage's, like touch
	send  func(plog.Logs) // to the next consumer
}

// newIntegrity watches the files below root. send is called by watch's
// goroutine.
func newIntegrity(root string, host translate.Host, version string, send func(plog.Logs)) *integrity {
	g := &integrity{build: translate.NewLogs(host, version), send: send}
	g.watch = critical.NewIntegrity(root, func(c critical.Change, by []plog.Logs) {
		now := pcommon.NewTimestampFromTime(time.Now())
		if len(by) == 0 {
			by = []plog.Logs{translate.Unseen(host, version, now)}
		}
		for _, deed := range by {
			g.send(translate.Modified(deed, &c, now))
		}
	})
	return g
}

// sendModified sends what is wanted to the queue of the activity. Files are
// compared all the time, so that a reload finds their states known.
func (s *activityStage) sendModified(batch plog.Logs) {
	if s.wanted.Load().modified {
		s.out.send(s.ctx, batch)
	}
}

// integrityCalls are the calls that change files by their names or descriptors.
var integrityCalls = interest.Names(
	"unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat",
	"chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchown", "fchownat",
	"truncate", "truncate64", "ftruncate", "ftruncate64", "setxattr", "lsetxattr", "fsetxattr",
)

// integritySet is what must be captured to know who changes critical files.
func integritySet() interest.Set {
	set := integrityCalls
	wish := interest.Wish{Resolved: interest.BeginningsOf(critical.Beginnings()...)}
	for _, call := range []string{"open", "openat", "openat2", "creat"} {
		f := &interest.Filter{}
		for _, access := range []uint64{unix.O_RDONLY, unix.O_WRONLY, unix.O_RDWR} {
			if access != unix.O_RDONLY || !interest.HasAccess(call) {
				f[interest.ClassOf(0, access)] = wish
			}
		}
		set = set.With(call, f)
	}
	return set
}

// touched lists the critical files that a call may have changed. The paths are
// valid as long as the event.
func (s *activityStage) touched(ev *event.Event) []string {
	call := &ev.Syscall
	if call.Return < 0 || ev.Flags&event.FlagSelf != 0 {
		return nil
	}
	var paths []string
	add := func(path []byte, here bool) {
		if here && len(path) > 0 && critical.Watched(string(path)) {
			paths = append(paths, string(path))
		}
	}
	onHost := s.enrich.named.onHost(ev)
	switch spec := call.Spec(); {
	case spec.Result == syscalls.ResultFile:
		if writes(call) {
			add(call.Result.Path, onHost || s.enrich.critical.Known(&call.Result.File))
		}
	case integrityCalls.Has(spec.Name) && call.NumArgs > 0 && spec.Args[0].Kind == syscalls.KindFD:
		add(call.Args[0].Path, onHost || s.enrich.critical.Known(&call.Args[0].File))
	default:
		for i, path := range s.resolve(ev) {
			add(path, onHost || s.enrich.named.ofHost[i])
		}
	}
	return paths
}

// writes reports whether an open call may change the file.
func writes(call *event.Syscall) bool {
	flags, ok := translate.OpenFlags(call)
	return ok && (flags&unix.O_ACCMODE != unix.O_RDONLY || flags&unix.O_TRUNC != 0)
}

// touch notes what a call may have changed, and who made it.
func (s *activityStage) touch(ev *event.Event, change process.Change) {
	by := critical.Author{Process: ev.Key, Call: ev.Syscall.Index}
	if change.Process != nil {
		by.Image = change.Process.Executed
	}
	for _, path := range s.touched(ev) {
		s.integrity.watch.Touched(path, by, func() plog.Logs { return s.deed(ev, change) })
	}
}

// deed is the present event as one that may have changed a critical file.
func (s *activityStage) deed(ev *event.Event, change process.Change) plog.Logs {
	a := s.prepare(ev, change)
	a.Name, a.Full, a.Arguments = schema.EventFileModified, true, false
	s.ancestors = s.enrich.processes.AppendAncestors(s.ancestors[:0], ev.Key, process.MaxAncestors)
	a.Ancestors = s.ancestors
	s.integrity.build.Append(a, s.clock.Offset(), time.Now())
	return s.integrity.build.Take()
}
