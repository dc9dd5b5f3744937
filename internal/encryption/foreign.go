package encryption

import (
	"bytes"
	"cmp"
	"debug/elf"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// foreignLibraries are shared libraries that encrypt and are not followed, by what
// the base names of their files begin with.
var foreignLibraries = []struct{ prefix, name string }{
	{"libssl3.so", "NSS"}, {"libmbedtls.so", "Mbed TLS"}, {"libwolfssl.so", "wolfSSL"}, {"libs2n.so", "s2n-tls"},
}

// mark is a text that programs and shared objects hold which have a library in
// them that is not followed: the name of one of its sources, or a message.
type mark struct {
	text, name string
	nameless   bool // it would be followed if its functions had names
}

// in says where the library of a mark is.
func (m *mark) in(place string) string {
	if m.nameless {
		return m.name + " in " + place + ", without names"
	}
	return m.name + " in " + place
}

var marks = []mark{
	{text: "/rustls-0.", name: "rustls"},
	{text: "peer misbehaved: ", name: "rustls"},
	{text: "/ssl/ssl_lib.cc", name: "BoringSSL", nameless: true},
	{text: "ssl/record/rec_layer_s3.c", name: "OpenSSL", nameless: true},
}

// theProgram is where a library is that is part of an executable.
const theProgram = "the program"

// Bounds of what is read of a program to find marks in it.
const (
	maxConstants = 128 << 20
	markChunk    = 256 << 10
)

// explain looks into the program of a process that encrypts by nothing that is
// known, and into its shared objects, once for each file: that reads all their
// constants.
func (f *Finder) explain(pid uint32) {
	why := f.Why(pid)
	if why != ReasonUnknown && why != ReasonUnmatched {
		return
	}
	found := ""
	if why == ReasonUnknown {
		found = f.foreignIn(f.executable(pid), theProgram)
	}
	if found == "" {
		found = f.explainObjects(pid)
	}
	if found == "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.why[pid] = found
}

// foreignIn names the library that a file has in it, empty for none.
func (f *Finder) foreignIn(at, place string) string {
	id, v, err := identify(at)
	if err != nil {
		return ""
	}
	known, ok := f.foreign[id]
	if !ok || known.version != v {
		content, err := os.Open(at)
		if err != nil {
			return ""
		}
		known = foreign{version: v}
		if m := marked(content, marks); m != nil {
			known.name = m.in(place)
		}
		_ = content.Close()
		if len(f.foreign) >= maxPrograms {
			clear(f.foreign)
		}
		f.foreign[id] = known
	}
	return known.name
}

// explained is what explain has found in the program of a process.
func (f *Finder) explained(pid uint32) string {
	if len(f.foreign) == 0 {
		return ReasonUnknown
	}
	id, v, err := identify(f.executable(pid))
	if known := f.foreign[id]; err == nil && known.version == v {
		return cmp.Or(known.name, ReasonUnknown)
	}
	return ReasonUnknown
}

// executable is a path of the program that a process runs.
func (f *Finder) executable(pid uint32) string {
	return filepath.Join(f.cfg.Proc, strconv.FormatUint(uint64(pid), 10), "exe")
}

// foreign is what is known of a program: which library is in it, if any.
type foreign struct {
	version version
	name    string
}

// foreignLibrary names the shared library among those that a process maps that
// encrypts and is not followed.
func foreignLibrary(mappings []mapping) string {
	for i := range mappings {
		for _, l := range foreignLibraries {
			if strings.HasPrefix(path.Base(mappings[i].path), l.prefix) {
				return l.name
			}
		}
	}
	return ""
}

// marked is the first mark, in their order, that the constants of a file hold, nil
// for none.
func marked(program io.ReaderAt, marks []mark) *mark {
	file, err := elf.NewFile(program)
	if err != nil {
		return nil
	}
	constants := file.Section(".rodata")
	if constants == nil || constants.Type != elf.SHT_PROGBITS {
		return nil
	}
	best := len(marks)
	search(io.LimitReader(io.NewSectionReader(program, int64(constants.Offset), int64(constants.FileSize)), maxConstants), marks, &best)
	if best == len(marks) {
		return nil
	}
	return &marks[best]
}

// search lowers best to the first of marks before it that r holds.
func search(r io.Reader, marks []mark, best *int) {
	longest := 0
	for _, m := range marks {
		longest = max(longest, len(m.text))
	}
	buf, held := make([]byte, markChunk), 0
	for *best > 0 {
		n, err := io.ReadFull(r, buf[held:])
		text := buf[:held+n]
		for i := range marks[:*best] {
			if bytes.Contains(text, []byte(marks[i].text)) {
				*best = i
				break
			}
		}
		if err != nil { // the end; where it cannot be read, what was read counts
			return
		}
		held = copy(buf, text[len(text)-longest:]) // what lies across two chunks
	}
}
