//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
)

// Bounds of what is remembered of pipes: their ends, of which the oldest are
// forgotten, the programs in one pipeline, and the outputs that shells take.
const (
	maxPipes    = 1024
	maxPipeline = 8
	maxTaken    = 1024
	maxScript   = 4 // programs whose output is one script

	maxInterpreter = 4 // arguments before the path of a script: /usr/bin/env bash, and that of the script
)

// substituted is the descriptor that bash's first <(...) is.
const substituted = 63

// soonAfter is how long after the end of a program a shell runs what it has
// taken of it: at once, but the machine may be busy.
const soonAfter = 2 * time.Second

// pipes knows which programs are in a pipeline with which: "curl ... | sh", and
// whose output a program runs as its script. The kernel tells which pipes a
// program was started with. One goroutine uses it.
type pipes struct {
	proc  string
	ends  map[uint64]pipeEnds // by inode
	order [maxPipes]uint64    // inodes by age, a ring
	next  int

	running map[process.Key]output // programs that write a pipe
	taken   map[process.Key]taken  // by shell: the output that it has taken last
}

// pipeEnds are the programs at the ends of a pipe. input is the pipe that the
// writer reads, output the one that the reader writes; 0 for none.
type pipeEnds struct {
	writer, reader string
	input, output  uint64
	runs           bool // the reader was started to run what it reads
}

// output is what a program below a shell writes, if that is not what the shell
// itself writes.
type output struct {
	shell process.Key
	pipe  uint64
}

// taken is the output of programs that nobody but a shell has read.
type taken struct {
	pipe uint64
	from []string // the programs at the beginnings of their pipelines
	at   uint64   // the end of the last, ns since boot
}

// piped is what the pipes of a program tell about it; names are empty where
// there is none, or none was seen.
type piped struct {
	from   string   // program at the beginning of the pipeline that this one reads
	to     string   // program at the end of the pipeline that this one writes
	script []string // programs whose output this one runs: bash <(curl ...), sh -c "$(curl ...)"
	runner string   // program that was started before to run what this one writes
}

func newPipes(proc string) *pipes {
	return &pipes{
		proc: proc, ends: make(map[uint64]pipeEnds),
		running: make(map[process.Key]output), taken: make(map[process.Key]taken),
	}
}

// started notes a program that has begun in place of another. ancestors begin
// with its parent.
func (p *pipes) started(ev *event.Event, change process.Change, ancestors []*process.Process) (facts piped) {
	now, x := change.Process, &ev.Exec
	if now == nil {
		return piped{}
	}
	if x.Input != 0 {
		facts.from = p.reads(x.Input, now.Name, x.Output, runsInput(now.Args))
	}
	for _, arg := range now.Args {
		if pipe, ok := p.named(ev, arg); ok {
			if from := p.reads(pipe, now.Name, x.Output, true); from != "" {
				facts.script = []string{from}
			}
			break
		}
	}
	if taken := p.take(ev, change, ancestors); facts.script == nil {
		facts.script = taken
	}
	if x.Output != 0 {
		ends := p.of(x.Output)
		ends.writer, ends.input = now.Name, x.Input
		p.ends[x.Output] = ends
		last := p.end(x.Output)
		if facts.to = last.reader; last.runs {
			facts.runner = last.reader
		}
	}
	p.follow(now, x.Output, ancestors)
	return facts
}

// runsInput says whether an interpreter with these arguments runs what it reads
// from its input.
func runsInput(args []string) bool {
	return len(args) == 1 || len(args) == 2 && args[1] == "-"
}

// reads notes the reader of a pipe, and whether it runs that, and returns the
// program at the beginning of what leads to it.
func (p *pipes) reads(pipe uint64, reader string, output uint64, runs bool) string {
	ends := p.of(pipe)
	ends.reader, ends.output, ends.runs = reader, output, runs
	p.ends[pipe] = ends
	return p.beginning(pipe)
}

func (p *pipes) beginning(pipe uint64) string {
	ends := p.ends[pipe]
	for range maxPipeline {
		before, ok := p.ends[ends.input]
		if !ok || before.writer == "" {
			break
		}
		ends = before
	}
	return ends.writer
}

// end is the last pipe of the pipeline that begins with one.
func (p *pipes) end(pipe uint64) pipeEnds {
	ends := p.ends[pipe]
	for range maxPipeline {
		behind, ok := p.ends[ends.output]
		if !ok || behind.reader == "" {
			break
		}
		ends = behind
	}
	return ends
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

// follow notes whose output a program writes: that of the nearest process above
// it that has executed a program, and not forked only as shells do for the parts
// of a pipeline.
func (p *pipes) follow(now *process.Process, pipe uint64, ancestors []*process.Process) {
	delete(p.running, now.Key)
	shell := executed(ancestors)
	if pipe == 0 || shell == nil {
		return
	}
	if own, ok := p.at(shell.Key.TGID, "/fd/1"); ok && own == pipe {
		return
	}
	if len(p.running) >= maxTaken {
		clear(p.running)
	}
	p.running[now.Key] = output{shell: shell.Key, pipe: pipe}
}

func executed(ancestors []*process.Process) *process.Process {
	for _, a := range ancestors {
		if a.Executed != 0 || a.Seeded {
			return a
		}
	}
	return nil
}

// ended notes the end of a process: what it has written to a pipe that no
// program was started to read, its shell has.
func (p *pipes) ended(ev *event.Event) {
	delete(p.taken, ev.Key)
	out, ok := p.running[ev.Key]
	delete(p.running, ev.Key)
	if !ok || p.ends[out.pipe].reader != "" {
		return
	}
	if len(p.taken) >= maxTaken {
		clear(p.taken)
	}
	last := p.taken[out.shell]
	if last.pipe != out.pipe {
		last = taken{pipe: out.pipe}
	}
	last.at = ev.Time
	if from := p.beginning(out.pipe); len(last.from) < maxScript && !slices.Contains(last.from, from) {
		last.from = append(last.from, from)
	}
	p.taken[out.shell] = last
}

// take returns the programs whose output a shell has taken right before it starts
// another one with a script as an argument that is not part of its own command:
// sh -c "$(curl ...)". Whatever is started then, the output is no longer the last.
func (p *pipes) take(ev *event.Event, change process.Change, ancestors []*process.Process) []string {
	shell := change.Before // which may become the other one
	last, ok := p.taken[ev.Key]
	if !ok && len(ancestors) > 0 {
		shell = ancestors[0]
		last, ok = p.taken[shell.Key]
	}
	if !ok || shell == nil || ev.Exec.Output == last.pipe { // another program for the same output
		return nil
	}
	delete(p.taken, shell.Key)
	text := scriptOf(change.Process.Name, change.Process.Args)
	if text == "" || ev.Time-last.at > uint64(soonAfter) || strings.Contains(shell.CommandLine(), text) {
		return nil
	}
	return last.from
}

// scriptOf is the script in a command line: what follows -c, -e or -r, alone or
// last in a group of options. A program that is a script itself, such as pyenv's
// python3, has its options behind its own path.
func scriptOf(name string, args []string) string {
	first := 1
	for i := 1; i < min(len(args), maxInterpreter) && !strings.HasPrefix(args[i], "-"); i++ {
		if filepath.Base(args[i]) == name {
			first = i + 1
		}
	}
	for i := first; i+1 < len(args); i++ {
		option := args[i]
		if len(option) < 2 || option[0] != '-' || option[1] == '-' {
			if option != "" && option[0] != '-' && option[0] != '+' {
				return "" // a file
			}
			continue
		}
		if strings.IndexByte("cer", option[len(option)-1]) >= 0 && !strings.HasPrefix(args[i+1], "-") {
			return args[i+1]
		}
	}
	return ""
}

// named is the pipe that an argument leads to: /dev/fd/63 of <(...). The kernel
// tells it of that one; others are looked at a moment later.
func (p *pipes) named(ev *event.Event, arg string) (pipe uint64, ok bool) {
	fd, ok := strings.CutPrefix(arg, "/dev/fd/")
	if !ok {
		fd, ok = strings.CutPrefix(arg, "/proc/self/fd/")
	}
	n, err := strconv.ParseUint(fd, 10, 31)
	switch {
	case !ok || err != nil:
		return 0, false
	case n == substituted:
		return ev.Exec.Substituted, ev.Exec.Substituted != 0
	default:
		return p.at(ev.Key.TGID, "/fd/"+fd)
	}
}

// at is the inode of the pipe that a descriptor of a process is now.
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
