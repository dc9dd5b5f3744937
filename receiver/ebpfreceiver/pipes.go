//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/process"
)

// maxPipes bounds the pipes whose ends are remembered; the oldest is forgotten.
const maxPipes = 1024

// pipes knows which programs are at the ends of the pipes that programs were
// started with: "curl ... | sh". It looks at the first two descriptors of a
// process a moment after its exec, so one that has ended by then is not seen.
// One goroutine uses it.
type pipes struct {
	proc  string
	ends  map[uint64]pipeEnds
	order [maxPipes]uint64 // inodes by age, a ring
	next  int
}

type pipeEnds struct{ writer, reader string }

func newPipes(proc string) *pipes {
	return &pipes{proc: proc, ends: make(map[uint64]pipeEnds)}
}

// started notes a program that has begun. It returns the names of the program
// that writes what this one reads, and of the one that reads what it writes;
// empty when there is none, or none was seen.
func (p *pipes) started(now *process.Process) (from, to string) {
	if now == nil {
		return "", ""
	}
	if pipe, ok := p.at(now.Key.TGID, "/fd/0"); ok {
		ends := p.of(pipe)
		ends.reader = now.Name
		p.ends[pipe], from = ends, ends.writer
	}
	if pipe, ok := p.at(now.Key.TGID, "/fd/1"); ok {
		ends := p.of(pipe)
		ends.writer = now.Name
		p.ends[pipe], to = ends, ends.reader
	}
	return from, to
}

// of is what is known of a pipe, for which there is a place from then on.
func (p *pipes) of(pipe uint64) pipeEnds {
	ends, ok := p.ends[pipe]
	if !ok {
		delete(p.ends, p.order[p.next])
		p.order[p.next] = pipe
		p.next = (p.next + 1) % maxPipes
	}
	return ends
}

// at is the inode of the pipe that a descriptor of a process is.
func (p *pipes) at(pid uint32, fd string) (pipe uint64, ok bool) {
	var buf [64]byte
	n, err := unix.Readlink(p.proc+"/"+strconv.FormatUint(uint64(pid), 10)+fd, buf[:])
	if err != nil {
		return 0, false
	}
	name, ok := strings.CutPrefix(string(buf[:n]), "pipe:[")
	if !ok {
		return 0, false
	}
	pipe, err = strconv.ParseUint(strings.TrimSuffix(name, "]"), 10, 64)
	return pipe, err == nil
}
