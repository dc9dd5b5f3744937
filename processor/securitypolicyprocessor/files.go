package securitypolicyprocessor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/policies"
)

// ruleFiles finds and reads the rule files of a configuration. With no
// patterns these are the embedded policies.
type ruleFiles struct{ patterns []string }

var errNoFiles = errors.New("no rule file matches rules_files")

// list expands the patterns in their order; a file that several of them name
// is taken at its first place. A plain path is listed whether it exists or not.
func (f ruleFiles) list() ([]string, error) {
	var paths []string
	for _, pattern := range f.patterns {
		matches, err := expand(pattern)
		if err != nil {
			return nil, err
		}
		for _, path := range matches {
			if !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	if len(f.patterns) > 0 && len(paths) == 0 {
		return nil, fmt.Errorf("%w: %s", errNoFiles, strings.Join(f.patterns, ", "))
	}
	return paths, nil
}

// expand is what a pattern stands for: itself when it is a plain path, else all
// that is no directory, such as those in which a ConfigMap keeps its versions.
func expand(pattern string) ([]string, error) {
	if !strings.ContainsAny(pattern, `*?[\`) {
		return []string{pattern}, nil
	}
	matches, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("rules_files: %q: %w", pattern, err)
	}
	return slices.DeleteFunc(matches, func(path string) bool {
		info, err := os.Stat(path)
		return err == nil && info.IsDir()
	}), nil
}

// idle are the patterns that stand for no file.
func (f ruleFiles) idle() (patterns []string) {
	for _, pattern := range f.patterns {
		if matches, err := expand(pattern); err == nil && len(matches) == 0 {
			patterns = append(patterns, pattern)
		}
	}
	return patterns
}

// Reading goes on for about a second while files change, with longer and longer
// pauses: a folder that is being copied to, a ConfigMap exchanged on a node that
// gives the agent no time.
const (
	maxReads   = 12
	firstPause = time.Millisecond
	longPause  = 256 * time.Millisecond
)

// errUnsteady is returned when files never stayed as they were while they were read.
var errUnsteady = errors.New("rule files were changed again each time they were read")

// read returns the contents of all files, in order, as they were at one moment:
// when one of them, or a link above them, is exchanged meanwhile, they are read
// again. It returns errUnsteady rather than contents that do not belong together. A
// file that cannot be read is reported by the loader, like any other finding about
// it.
func (f ruleFiles) read() (files []policy.File, err error) {
	if len(f.patterns) == 0 {
		return embedded()
	}
	before := f.fingerprint()
	pause := firstPause
	for range maxReads {
		files, err = f.readOnce()
		after := f.fingerprint()
		if after == before {
			return files, err
		}
		before = after
		time.Sleep(pause)
		pause = min(2*pause, longPause)
	}
	return nil, errUnsteady
}

func (f ruleFiles) readOnce() ([]policy.File, error) {
	paths, err := f.list()
	if err != nil {
		return nil, err
	}
	out := make([]policy.File, len(paths))
	for i, path := range paths {
		out[i] = readFile(path)
	}
	return out, nil
}

// readFile reads a file. One that is a pipe would keep the collector from
// starting until somebody writes it.
func readFile(path string) policy.File {
	if info, err := os.Stat(path); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		return policy.File{Name: path, Err: errors.New("it is a pipe")}
	}
	return policy.ReadFile(path)
}

func embedded() ([]policy.File, error) {
	files, err := policies.Files()
	if err != nil {
		return nil, err
	}
	out := make([]policy.File, len(files))
	for i, file := range files {
		out[i] = policy.File{Name: file.Name, Content: file.Content}
	}
	return out, nil
}

// fingerprint changes when a file is written, replaced, added or removed, also
// by the exchange of a symbolic link above it, as Kubernetes does with the
// files of a ConfigMap. It reads no contents.
func (f ruleFiles) fingerprint() string {
	paths, err := f.list()
	if err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, path := range paths {
		b.WriteString(path)
		b.WriteByte(0)
		info, err := os.Stat(path)
		if err != nil {
			b.WriteString(err.Error())
		} else {
			writeIdentity(&b, info)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func writeIdentity(b *strings.Builder, info fs.FileInfo) {
	numbers := []int64{info.Size(), info.ModTime().UnixNano()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		numbers = append(numbers, int64(st.Dev), int64(st.Ino))
	}
	for _, n := range numbers {
		b.WriteString(strconv.FormatInt(n, 36))
		b.WriteByte(' ')
	}
}
