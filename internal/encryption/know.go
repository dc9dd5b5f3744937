package encryption

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
)

// Library is a file that encrypts, and how it stands.
type Library struct {
	Name      string // "OpenSSL"
	Path      string // as the first process that was seen with it sees it
	Processes int    // that use it now
	Read      bool   // its plain text is followed
	Reason    string // why not
	Missing   string // functions that are not followed, and why
}

// errFull tells that too many libraries are known.
var errFull = errors.New("too many TLS libraries")

// know returns what is known of a file, after having it probed if it is new or
// was written to. at is where it can be opened, path what it is called.
func (f *Finder) know(at, path string, l *library) (*file, error) {
	id, v, err := identify(at)
	if err != nil {
		return nil, err
	}
	known := f.files[id]
	now := time.Now()
	if known != nil && known.stands(v, now) {
		known.used = now
		return known, nil
	}
	switch {
	case known == nil:
		if len(f.files) >= maxFiles {
			return nil, errFull
		}
		known = &file{Library: Library{Name: l.name, Path: path}}
		f.files[id] = known
	case known.version != v: // written over: the places are not where they were
		if known.content != nil {
			_ = errors.Join(known.detach(), known.content.Close())
		}
		known.content, known.paused, known.again = nil, nil, retry{}
	}
	known.version, known.kind, known.used = v, l, now
	err = f.probe(known, id, at, l)
	// its process has ended meanwhile, and the next one tells; or the agent ends
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrClosed) {
		delete(f.files, id)
		return nil, err
	}
	known.Read, known.Reason = err == nil, ""
	if err != nil {
		f.notFollowed(known, err, now)
		return known, nil
	}
	known.again = retry{}
	f.cfg.Log.Info("A TLS library is followed.", zap.String("library", l.name), zap.String("file", path),
		zap.String("without", known.Missing))
	return known, nil
}

// notFollowed notes that a file could not be probed. It is told once.
func (f *Finder) notFollowed(known *file, err error, now time.Time) {
	told := f.cfg.Log.Warn
	if known.again.after > 0 {
		told = f.cfg.Log.Debug
	}
	known.Reason, known.again = err.Error(), known.again.failed(err, now)
	told("A TLS library is not followed: connections of programs that use it are seen, their requests are not.",
		zap.String("library", known.Name), zap.String("file", known.Path), zap.Error(err), known.again.field())
}

// probe has a file probed, the one with that identity: another one may have taken its
// place. From opening it on it is held by its descriptor.
func (f *Finder) probe(known *file, id identity, at string, l *library) error {
	content, err := os.Open(at)
	if err != nil {
		return err
	}
	probes, missing, err := f.places(content, l)
	if at = pathOf(content); err == nil || !passes(err) { // of a file that is being written anything may be read
		if nowID, v, idErr := identify(at); idErr == nil && (nowID != id || v != known.version) {
			err = errReplaced
		}
	}
	if err != nil {
		_ = content.Close()
		return err
	}
	known.Missing = ""
	if missing != nil {
		known.Missing = strings.ReplaceAll(missing.Error(), "\n", "; ")
	}
	attached, err := f.attach.AttachTLS(at, probes)
	if err != nil {
		_ = content.Close()
		return fmt.Errorf("attaching: %w", err)
	}
	known.content, known.sites, known.probes = content, probes, map[uint32]io.Closer{0: attached}
	return nil
}

// pathOf is a path that leads to an open file, whatever its own leads to by now.
func pathOf(content *os.File) string { return "/proc/self/fd/" + strconv.Itoa(int(content.Fd())) }

// publish makes the report anew.
func (f *Finder) publish() {
	report := make([]Library, 0, len(f.files))
	for _, known := range f.files {
		l := known.Library
		l.Processes = known.users
		report = append(report, l)
	}
	slices.SortFunc(report, func(a, b Library) int { return strings.Compare(a.Path, b.Path) })
	f.mu.Lock()
	defer f.mu.Unlock()
	f.report = report
}

// Libraries lists the files that encrypt.
func (f *Finder) Libraries() []Library {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.report)
}

// Why says why the encrypted connections of a process are not decoded, as far as
// it is known.
func (f *Finder) Why(pid uint32) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.why[pid]
}
