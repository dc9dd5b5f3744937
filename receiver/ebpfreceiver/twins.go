//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

const (
	// maxTwins is how many further agents are known at the same time.
	maxTwins = 16
	// A comparison of two programs reads both; somebody could make one that
	// differs in the last byte and start it all day.
	maxComparisons  = 4
	comparisonsTime = time.Minute
)

// twins are other processes of the very program that this agent is, byte for
// byte, wherever their file lies: further agents on the machine. What they read of
// processes is what this one reads, and as little an alarm; nothing else is, since
// the program can be told to show any file ("policy check"). One goroutine at a time.
type twins struct {
	proc   string
	device uint32 // of that file system, as in event.File; 0: not known
	self   string // the program of this agent
	name   []byte // what the kernel calls it

	known    map[process.Key]struct{}
	compared int       // since began
	began    time.Time // of the time that comparisons are counted in

	now func() time.Time
}

func newTwins(proc, self string) *twins {
	name := filepath.Base(self)
	if target, err := os.Readlink(self); err == nil {
		name = filepath.Base(strings.TrimSuffix(target, " (deleted)"))
	}
	t := &twins{proc: proc, self: self, name: []byte(name[:min(len(name), 15)]), known: map[process.Key]struct{}{}, now: time.Now}
	var st unix.Stat_t
	if unix.Stat(proc, &st) == nil {
		t.device = unix.Major(st.Dev)<<20 | unix.Minor(st.Dev)
	}
	return t
}

// see takes note of a program that runs or has just started, and of the end of
// one.
func (t *twins) see(ev *event.Event) {
	switch ev.Type {
	case event.TypeExec, event.TypeProcess:
		delete(t.known, ev.Key) // it is another program now
		if bytes.Equal(ev.Task.Comm, t.name) && len(t.known) < maxTwins && t.same(ev.Key) {
			t.known[ev.Key] = struct{}{}
		}
	case event.TypeExit:
		delete(t.known, ev.Key)
	default:
	}
}

// reads reports whether a twin opens a file of processes for reading. This agent is none: policies
// see what it does.
func (t *twins) reads(ev *event.Event) bool {
	if len(t.known) == 0 || ev.Type != event.TypeSyscall || ev.Flags&event.FlagSelf != 0 {
		return false
	}
	if _, ok := t.known[ev.Key]; !ok {
		return false
	}
	if f := &ev.Syscall.Result.File; f.Inode == 0 || f.Device != t.device {
		return false
	}
	flags, ok := translate.OpenFlags(&ev.Syscall)
	return ok && flags&(unix.O_ACCMODE|unix.O_TRUNC|unix.O_CREAT) == unix.O_RDONLY
}

// same reports whether a process runs the program of this agent: the same file, or
// one with the same content.
func (t *twins) same(k process.Key) bool {
	path := filepath.Join(t.proc, strconv.FormatUint(uint64(k.TGID), 10), "exe")
	mine, err := os.Stat(t.self)
	if err != nil {
		return false
	}
	theirs, err := os.Stat(path)
	if err != nil || !theirs.Mode().IsRegular() {
		return false
	}
	if os.SameFile(mine, theirs) {
		return true
	}
	if mine.Size() != theirs.Size() {
		return false
	}
	now := t.now()
	if now.Sub(t.began) >= comparisonsTime {
		t.began, t.compared = now, 0
	}
	if t.compared++; t.compared > maxComparisons {
		return false
	}
	return sameContent(t.self, path)
}

func sameContent(a, b string) bool {
	one, err := os.Open(a)
	if err != nil {
		return false
	}
	defer one.Close()
	other, err := os.Open(b)
	if err != nil {
		return false
	}
	defer other.Close()
	x, y := make([]byte, 256<<10), make([]byte, 256<<10)
	for {
		n, errX := io.ReadFull(one, x)
		m, errY := io.ReadFull(other, y)
		if !bytes.Equal(x[:n], y[:m]) {
			return false
		}
		if errX != nil || errY != nil {
			return isEnd(errX) && isEnd(errY)
		}
	}
}

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
