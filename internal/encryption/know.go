package encryption

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
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
	if known != nil && known.version == v {
		known.used = time.Now()
		return known, nil
	}
	if known == nil {
		if len(f.files) >= maxFiles {
			return nil, errFull
		}
		known = &file{Library: Library{Name: l.name, Path: path}}
		f.files[id] = known
	} else if known.content != nil { // written over: the places are not where they were
		_ = errors.Join(known.detach(), known.content.Close())
		known.content, known.paused = nil, nil
	}
	known.version, known.kind, known.used = v, l, time.Now()
	err = f.probe(known, at, l)
	// its process has ended meanwhile, and the next one tells; or the agent ends
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrClosed) {
		delete(f.files, id)
		return nil, err
	}
	known.Read, known.Reason = err == nil, ""
	if err != nil {
		known.Reason = err.Error()
		f.cfg.Log.Warn("A TLS library is not followed: connections of programs that use it are seen, their requests are not.",
			zap.String("library", l.name), zap.String("file", path), zap.Error(err))
		return known, nil
	}
	f.cfg.Log.Info("A TLS library is followed.", zap.String("library", l.name), zap.String("file", path),
		zap.String("without", known.Missing))
	return known, nil
}

// probe has a file probed.
func (f *Finder) probe(known *file, at string, l *library) error {
	content, err := os.Open(at)
	if err != nil {
		return err
	}
	probes, missing, err := f.places(content, l)
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
