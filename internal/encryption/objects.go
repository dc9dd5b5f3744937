package encryption

import (
	"os"
	"path"
	"path/filepath"
	"strconv"
)

// Bounds of the shared objects that are looked into.
const (
	leastObject = 256 << 10 // bytes; what encrypts is longer
	maxObjects  = 256       // of one process
)

// Libraries that are part of a shared object: an extension of Python, an addon of
// Node.js. They are recognised as those in programs are.
var embedded = map[*library]*library{
	&staticOpenSSL: inObject(&staticOpenSSL, "OpenSSL"), &boringSSL: inObject(&boringSSL, "BoringSSL"),
	&namelessBoringSSL: inObject(&namelessBoringSSL, "BoringSSL"),
}

func inObject(l *library, name string) *library {
	out := *l
	out.name = name + " in a shared object"
	return &out
}

// explainObjects looks for a library in the shared objects of a process that
// encrypts by nothing else. One that can be followed is, from now on, in all
// processes that have the file; another one is named.
func (f *Finder) explainObjects(pid uint32) (why string) {
	dir := filepath.Join(f.cfg.Proc, strconv.FormatUint(uint64(pid), 10))
	maps, err := os.Open(filepath.Join(dir, "maps"))
	if err != nil {
		return ""
	}
	mappings := executableFiles(maps)
	_ = maps.Close()
	fresh := false
	for i := range mappings[min(1, len(mappings)):min(1+maxObjects, len(mappings))] {
		m := &mappings[1+i]
		if libraryOf(m.path) != nil {
			continue
		}
		at, err := m.find(f.cfg.Proc, pid)
		if err != nil {
			continue
		}
		switch l := f.object(at); {
		case l == nil && why == "":
			why = f.foreignIn(at, path.Base(m.path))
		case l != nil && !f.inodes[m.inode]:
			if len(f.inodes) >= maxPrograms {
				clear(f.inodes)
			}
			f.inodes[m.inode] = true
			fresh = true
		}
	}
	if fresh {
		f.look(pid)
		return f.Why(pid)
	}
	return why
}

// object tells which library that can be followed a shared object has in it, nil for
// none.
func (f *Finder) object(at string) *library {
	id, v, err := identify(at)
	if err != nil || v.size < leastObject {
		return nil
	}
	if known := f.files[id]; known != nil && known.version == v {
		return known.kind
	}
	if without, ok := f.without[id]; ok && without == v {
		return nil
	}
	content, err := os.Open(at)
	if err != nil {
		return nil
	}
	defer content.Close()
	l := embedded[recognise(content, f.cfg.Kernel)]
	if l == nil {
		if len(f.without) >= maxPrograms {
			clear(f.without)
		}
		f.without[id] = v
	}
	return l
}
