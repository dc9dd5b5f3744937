package encryption

import (
	"errors"
	"io"
	"slices"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/bpf"
)

// How long after a failure that may pass a file is tried again: twice as long each time.
const (
	firstRetry = sweepEvery
	lastRetry  = 10 * time.Minute
)

// passing are failures that tell nothing about a file: the machine has no memory or no
// descriptors left, was interrupted, or somebody writes to the file.
var passing = []error{
	unix.EINTR, unix.EAGAIN, unix.ENOMEM, unix.EBUSY, unix.ETXTBSY, unix.EMFILE, unix.ENFILE, errReplaced, bpf.ErrManyFiles,
}

// passes tells whether what failed may succeed later.
func passes(err error) bool {
	return slices.ContainsFunc(passing, func(p error) bool { return errors.Is(err, p) })
}

// retry is when something is tried again that failed; never when at is zero.
type retry struct {
	at    time.Time
	after time.Duration
}

func (r retry) due(now time.Time) bool { return !r.at.IsZero() && !now.Before(r.at) }

// failed is when it is tried again after an error.
func (r retry) failed(err error, now time.Time) retry {
	if !passes(err) {
		return retry{}
	}
	after := max(firstRetry, min(2*r.after, lastRetry))
	return retry{at: now.Add(after), after: after}
}

// field tells in a log how long that is, of what is never tried again nothing.
func (r retry) field() zap.Field {
	if r.at.IsZero() {
		return zap.Skip()
	}
	return zap.Duration("again.after", r.after)
}

// stands tells whether there is nothing to do about a file of a version.
func (known *file) stands(v version, now time.Time) bool {
	return known.version == v && (known.content != nil || !known.again.due(now))
}

// retry tries again what has failed, where it is time: files by looking at those who use
// them, of which the first one has it probed and all get to know.
func (f *Finder) retry(now time.Time) {
	var users []uint32
	for _, known := range f.files {
		if !known.again.due(now) {
			continue
		}
		if known.content != nil {
			f.restore(known, now)
			continue
		}
		known.again.at = time.Now()
		for pid, uses := range f.users {
			if slices.Contains(uses, known) {
				users = append(users, pid)
			}
		}
	}
	for _, pid := range users {
		f.look(pid)
	}
}

// restore has a file probed once more that had lost its probes because of a pause and
// could not get them back.
func (f *Finder) restore(u *file, now time.Time) {
	u.again.at = time.Time{}
	if !u.forAll() {
		f.arrange(u, now)
	} else if u.probes[0] == nil {
		f.hold(u, 0, func(path string) (io.Closer, error) { return f.attach.AttachTLS(path, u.sites) })
	}
	if u.again.at.IsZero() {
		u.again = retry{}
	}
}
