//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
)

// Bounds of what is remembered of downloaded files.
const (
	maxDownloads   = 512
	maxFilesOfLoad = 8 // of one command
	downloadLasts  = 10 * time.Minute
)

// downloads knows the files that download tools were told to write, by their
// command lines, so that a script among them is known when an interpreter is
// started with it: "curl -o x; sh x". Names are compared as they are given, below
// the working directory; links are not followed. One goroutine uses it.
type downloads struct {
	proc  string
	files map[fileName]download
	order [maxDownloads]fileName // by age, a ring
	next  int
}

type fileName struct {
	mounts uint32 // mount name space
	path   string
}

type download struct {
	by string
	at uint64 // ns since boot
}

func newDownloads(proc string) *downloads {
	return &downloads{proc: proc, files: make(map[fileName]download)}
}

// started notes what a download tool is going to write, and returns the tool that
// has written the script which an interpreter was started with; "" for none.
func (d *downloads) started(now *process.Process, at uint64) (by string) {
	if now == nil {
		return ""
	}
	if outputs := downloaders[now.Name]; outputs != nil {
		names := outputs(now.Args)
		if to := d.file(now.Key, "1"); to != "" {
			names = append(names, to)
		}
		for _, name := range names[:min(len(names), maxFilesOfLoad)] {
			d.put(fileName{now.MountNS, below(now.Directory(), name)}, download{now.Name, at})
		}
		return ""
	}
	if len(d.files) == 0 || !interprets(now.Name) {
		return ""
	}
	name := scriptFile(now.Args)
	if len(now.Args) == 1 {
		name = d.file(now.Key, "0")
	}
	if name == "" {
		return ""
	}
	found, ok := d.files[fileName{now.MountNS, below(now.Directory(), name)}]
	if !ok || at-min(at, found.at) > uint64(downloadLasts) {
		return ""
	}
	return found.by
}

func (d *downloads) put(name fileName, what download) {
	if _, ok := d.files[name]; !ok {
		delete(d.files, d.order[d.next])
		d.order[d.next] = name
		d.next = (d.next + 1) % maxDownloads
	}
	d.files[name] = what
}

// file is the path of the file that a descriptor of a process is now, "" when it is
// none.
func (d *downloads) file(k event.ProcessKey, fd string) string {
	var buf [256]byte
	n, err := unix.Readlink(d.proc+"/"+strconv.FormatUint(uint64(k.TGID), 10)+"/fd/"+fd, buf[:])
	if err != nil || n == len(buf) || n == 0 || buf[0] != '/' || strings.HasPrefix(string(buf[:n]), "/dev/") {
		return ""
	}
	return string(buf[:n])
}

func below(dir, name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(dir, name)
}

// interprets reports whether a program runs the file that is its first argument.
func interprets(name string) bool {
	switch name {
	case "sh", "bash", "dash", "zsh", "ash", "ksh", "mksh", "fish", "busybox", "node", "nodejs", "php", "ruby", "perl":
		return true
	default:
		return strings.HasPrefix(name, "python") || strings.HasPrefix(name, "perl") || strings.HasPrefix(name, "ruby") || strings.HasPrefix(name, "php")
	}
}

// scriptFile is the first argument that is no option.
func scriptFile(args []string) string {
	for i, arg := range args {
		if i > 0 && arg != "" && arg[0] != '-' && arg[0] != '+' {
			return arg
		}
	}
	return ""
}

// downloaders are the tools, and how their command lines say what they write.
var downloaders = map[string]func(args []string) []string{
	"curl": func(args []string) []string {
		return flags{to: 'o', toLong: "output", dir: 0, dirLong: "output-dir", own: 'O', ownLong: "remote-name", valued: "AbcCdDeEFhHKmPQrtTuUwxXyYz"}.files(args)
	},
	"wget":  wget,
	"wget2": wget,
	"aria2c": func(args []string) []string {
		return flags{to: 'o', toLong: "out", dir: 'd', dirLong: "dir", always: true, valued: "ijklmMpsTx"}.files(args)
	},
}

func wget(args []string) []string {
	return flags{to: 'O', toLong: "output-document", dir: 'P', dirLong: "directory-prefix", always: true, valued: "oaietTwQlADIRUBX"}.files(args)
}

// flags are the options of a tool that say which files it writes.
type flags struct {
	to, dir, own             byte // the file, its directory, a file with the name of the URL
	toLong, dirLong, ownLong string
	always                   bool   // without to, files have the names of the URLs
	valued                   string // further short options that have a value
}

func (f flags) files(args []string) []string {
	var files, urls []string
	dir, own := "", f.always
	for i := 1; i < len(args); i++ {
		arg, value := args[i], ""
		if i+1 < len(args) {
			value = args[i+1]
		}
		if long, ok := strings.CutPrefix(arg, "--"); ok {
			name, given, joined := strings.Cut(long, "=")
			if joined {
				value = given
			}
			switch name {
			case f.toLong:
				files = append(files, value)
			case f.dirLong:
				dir = value
			case f.ownLong:
				own = own || f.ownLong != ""
				continue
			default:
				continue
			}
			if !joined {
				i++
			}
			continue
		}
		if len(arg) < 2 || arg[0] != '-' {
			urls = append(urls, arg)
			continue
		}
		for j := 1; j < len(arg); j++ {
			c := arg[j]
			if c == f.own {
				own = true
				continue
			}
			if c != f.to && c != f.dir && strings.IndexByte(f.valued, c) < 0 {
				continue
			}
			if rest := arg[j+1:]; rest != "" {
				value = rest
			} else {
				i++
			}
			switch c {
			case f.to:
				files = append(files, value)
			case f.dir:
				dir = value
			}
			break
		}
	}
	if own && len(files) == 0 {
		for _, u := range urls {
			if name := nameOf(u); name != "" {
				files = append(files, name)
			}
		}
	}
	kept := files[:0]
	for _, name := range files {
		if name != "" && name != "-" {
			kept = append(kept, below(dir, name))
		}
	}
	return kept
}

// nameOf is the name that a tool gives the file of a URL.
func nameOf(address string) string {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil || strings.HasSuffix(u.Path, "/") || u.Path == "" {
		return ""
	}
	return path.Base(u.Path)
}
