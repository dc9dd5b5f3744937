package process

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Bounds of what is read of one process, in bytes.
const (
	maxArgs    = 4096
	maxEnviron = 32 << 10
	maxStat    = 1024
)

// ProcDir tells where the proc file system with the host's pids is, for an
// agent that sees the host's files below root: root/proc when there is one,
// else the agent's own.
func ProcDir(root string) string {
	if own := filepath.Join(root, "proc"); own != "/proc" {
		if _, err := os.Stat(filepath.Join(own, "stat")); err == nil {
			return own
		}
	}
	return "/proc"
}

// procReader reads what the kernel's events leave out. Not safe for concurrent
// use.
type procReader struct {
	root   string
	buf    []byte
	memory memoryReader
	late   []late
}

// clockTick is the unit of start times in /proc: USER_HZ is 100 on every
// architecture that we run on.
const clockTick = 10_000_000 // ns

// fill reads the program, the arguments and the environment of a living
// process. It reports whether the process was there, and the same one.
func (r *procReader) fill(p *Process) bool {
	dir := r.dir(p.Key.TGID)
	if !r.same(dir, p.Key) {
		return false
	}
	if p.Path == "" {
		if exe, err := os.Readlink(dir + "/exe"); err == nil {
			p.Path = strings.TrimSuffix(exe, " (deleted)")
		}
	}
	if p.Cwd == "" {
		p.Cwd, _ = r.cwd(p.Key)
	}
	if p.Args == nil {
		if raw, truncated, ok := r.memory.read(dir+"/cmdline", maxArgs); ok {
			p.Args, p.ArgsTruncated = splitArgs(raw), truncated
		}
	}
	if env, ok := r.environ(p.Key, p.Executed); ok {
		p.setEnvironment(env)
	}
	return r.same(dir, p.Key)
}

// cwd is the path of the directory in which a process is.
func (r *procReader) cwd(k Key) (string, bool) {
	path, err := os.Readlink(r.dir(k.TGID) + "/cwd")
	return strings.TrimSuffix(path, " (deleted)"), err == nil
}

// environ reads the environment that a process was started with. Valid until
// the next call. What comes too late Table.Learn gives to the process, if it has not
// executed another program by then.
func (r *procReader) environ(k Key, executed uint64) ([]byte, bool) {
	env, _, ok := r.memory.read(r.environment(k), maxEnviron)
	r.await(k, executed)
	return env, ok
}

// environment is the file that shows it.
func (r *procReader) environment(k Key) string { return r.dir(k.TGID) + "/environ" }

// same tells whether the process in dir is the one with the key.
func (r *procReader) same(dir string, k Key) bool {
	raw, _, ok := r.read(dir+"/stat", maxStat)
	if !ok {
		return false
	}
	st, ok := parseStat(raw)
	return ok && st.start == k.Start/clockTick
}

// stat reads the name and the parent's pid of a living process.
func (r *procReader) stat(k Key) (name string, ppid uint32, ok bool) {
	raw, _, ok := r.read(r.dir(k.TGID)+"/stat", maxStat)
	if !ok {
		return "", 0, false
	}
	st, ok := parseStat(raw)
	return string(st.name), st.ppid, ok && st.start == k.Start/clockTick
}

// statLine is the part of /proc/PID/stat that is of use here.
type statLine struct {
	name  []byte // aliases the line
	ppid  uint32
	start uint64 // clock ticks since boot
}

// parseStat reads fields 2, 4 and 22 of /proc/PID/stat; the name in field 2 may
// contain anything.
func parseStat(line []byte) (statLine, bool) {
	begin, end := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if begin < 0 || end < begin {
		return statLine{}, false
	}
	st := statLine{name: line[begin+1 : end]}
	n := 2
	for f := range bytes.FieldsSeq(line[end+1:]) {
		n++
		if n != 4 && n != 22 {
			continue
		}
		v, err := strconv.ParseUint(string(f), 10, 64)
		if err != nil {
			return statLine{}, false
		}
		if n == 22 {
			st.start = v
			return st, true
		}
		st.ppid = uint32(v)
	}
	return statLine{}, false
}

// read reads at most limit bytes of a file of the kernel's own, without
// allocating for each call. The result is valid until the next read.
func (r *procReader) read(file string, limit int) (raw []byte, truncated, ok bool) {
	if r.buf == nil {
		r.buf = make([]byte, maxStat+1)
	}
	return readInto(r.buf[:limit+1], file)
}

// readInto reads what buf holds less one byte, which tells that there is more.
func readInto(buf []byte, file string) (raw []byte, truncated, ok bool) {
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false, false
	}
	defer func() { _ = unix.Close(fd) }()
	n, limit := 0, len(buf)-1
	for n <= limit {
		got, err := unix.Read(fd, buf[n:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || got == 0 {
			break
		}
		n += got
	}
	return buf[:min(n, limit)], n > limit, n > 0
}

func (r *procReader) dir(tgid uint32) string {
	return r.root + "/" + strconv.FormatUint(uint64(tgid), 10)
}
