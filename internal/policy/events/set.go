package events

import (
	"runtime"
	"strconv"
)

// Set names the bits of a number or its values. Numbers in records are the
// kernel's; the ones that rules see are Falco's own, so that every entry has
// both.
type Set struct {
	Enum    bool // the number is one of the values, not a union of bits
	Entries []Entry
	// Always is a bit group that is present in every number: the access mode.
	Always func(kernel uint64) uint32
}

// Entry is one bit or value, in printing order.
type Entry struct {
	Name   string
	Value  uint32 // Falco's; zero prints only when the whole number is zero
	Kernel uint64 // the kernel's, when it differs from Value; see same
	Any    bool   // one of the kernel's bits is enough
	same   bool
}

// FromKernel translates a number of the kernel into Falco's. Bits without an
// entry are lost; a value of an enum without an entry stays what it is.
func (s *Set) FromKernel(n uint64) uint32 {
	if s == nil || len(s.Entries) == 0 {
		return uint32(n)
	}
	if s.Enum {
		for i := range s.Entries {
			if s.Entries[i].kernel() == n {
				return s.Entries[i].Value
			}
		}
		return uint32(n)
	}
	var v uint32
	for i := range s.Entries {
		e := &s.Entries[i]
		if k := e.kernel(); k != 0 && (n&k == k || e.Any && n&k != 0) {
			v |= e.Value
		}
	}
	if s.Always != nil {
		v |= s.Always(n)
	}
	return v
}

func (e *Entry) kernel() uint64 {
	if e.same {
		return uint64(e.Value)
	}
	return e.Kernel
}

// AppendNames appends the names of Falco's number v, joined with a bar; nothing
// when no name fits.
func (s *Set) AppendNames(dst []byte, v uint32) []byte {
	if s == nil {
		return dst
	}
	rest, start := v, len(dst)
	for i := range s.Entries {
		e := &s.Entries[i]
		var hit bool
		switch {
		case s.Enum:
			hit = e.Value == v
		case e.Value == 0:
			hit = v == 0
		default:
			hit = rest&e.Value == e.Value
		}
		if !hit {
			continue
		}
		if !s.Enum {
			rest &^= e.Value
		}
		if len(dst) > start {
			dst = append(dst, '|')
		}
		dst = append(dst, e.Name...)
	}
	return dst
}

// bits makes entries whose kernel value is Falco's value, a bit each; an empty
// name leaves its bit out.
func bits(names ...string) []Entry {
	out := make([]Entry, 0, len(names))
	for i, name := range names {
		if name != "" {
			out = append(out, Entry{Name: name, Value: 1 << i, same: true})
		}
	}
	return out
}

// values makes entries counted from zero, with the kernel's numbers.
func values(names ...string) []Entry {
	out := make([]Entry, len(names))
	for i, name := range names {
		out[i] = Entry{Name: name, Value: uint32(i), same: true}
	}
	return out
}

// Open flags that differ between architectures.
type openBits struct{ direct, largefile, directory uint64 }

func archOpenBits(arch string) openBits {
	if arch == "arm64" || arch == "arm" {
		return openBits{direct: 0o200000, largefile: 0o400000, directory: 0o40000}
	}
	return openBits{direct: 0o40000, largefile: 0o100000, directory: 0o200000}
}

var arch = archOpenBits(runtime.GOARCH)

// Falco's numbers of open flags that fields need by name.
const (
	OpenRead      = 1
	OpenWrite     = 2
	OpenCreate    = 4
	OpenDirectory = 1024
	OpenTmpfile   = 8192
	OpenCreated   = 16384
	OpenUpper     = 32768
	OpenLower     = 65536
)

// accessMode is always present: reading only is zero in the kernel.
func accessMode(kernel uint64) uint32 {
	switch kernel & 3 {
	case 0:
		return OpenRead
	case 1:
		return OpenWrite
	default:
		return OpenRead | OpenWrite
	}
}

// ErrnoName is the name of an error number, or the number itself.
func ErrnoName(n int64) string {
	if n > 0 && n < int64(len(errnoNames)) && errnoNames[n] != "" {
		return errnoNames[n]
	}
	return strconv.FormatInt(n, 10)
}

// SignalName is the name of a signal, empty when it has none.
func SignalName(n int64) string {
	if n > 0 && n < int64(len(signalNames)) {
		return signalNames[n]
	}
	return ""
}

// AppendCapabilities appends the names of a capability set in bit order, with
// blanks between them.
func AppendCapabilities(dst []byte, set uint64) []byte {
	start := len(dst)
	for i, name := range capabilityNames {
		if set&(1<<i) == 0 {
			continue
		}
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		dst = append(dst, name...)
	}
	return dst
}
