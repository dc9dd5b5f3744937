package probesite

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
)

// Go's table of functions (runtime.pcHeader): magic, two zeros, the size of
// an instruction's alignment and of a pointer, then counts and offsets, each of
// the size of a pointer.
const (
	goMagic118 = 0xfffffff0
	goMagic120 = 0xfffffff1

	goHeaderCount     = 8  // of functions
	goHeaderTextStart = 24 // until Go 1.25; 0 since
	goHeaderNames     = 32 // offset of the names
	goHeaderUnits     = 40 // offset of what follows the names
	goHeaderFunctions = 64 // offset of the table
	goHeaderSize      = 72

	goEntrySize    = 8 // of an entry of the table: code offset, offset of the function's data
	maxGoFunctions = 4 << 20

	// Where the module's data (runtime.moduledata) has the start of the code.
	goModuleText = 176
)

var errGoTable = errors.New("unknown layout of .gopclntab")

// goTable is .gopclntab of Go 1.18 and later.
type goTable struct {
	address   uint64 // of the table in memory
	text      uint64 // what code offsets count from
	count     int64  // of functions
	names     *window
	functions *window // from the table of functions on
}

// goFunctions looks for functions in .gopclntab. A file without is no error,
// nor is one of a version whose layout is not known.
func (f *File) goFunctions(names []string, found map[string]symbol) error {
	table, err := f.openGoTable()
	if err != nil {
		return nil //nolint:nilerr // no table has no names
	}
	at, err := table.names.find(names)
	if err != nil || len(at) == 0 {
		return nil //nolint:nilerr // as above
	}
	return table.scan(at, found)
}

// openGoTable reads the header of the table.
func (f *File) openGoTable() (*goTable, error) {
	section := f.section(".gopclntab")
	if section == nil {
		section = f.section(".data.rel.ro.gopclntab") // position-independent programs
	}
	if section == nil {
		return nil, ErrNoFunction
	}
	header, err := newWindow(f.reader, section.Offset, section.FileSize).at(0, goHeaderSize)
	if err != nil {
		return nil, err
	}
	word := func(at int) uint64 { return binary.LittleEndian.Uint64(header[at:]) }
	magic := binary.LittleEndian.Uint32(header)
	names, units, functions := word(goHeaderNames), word(goHeaderUnits), word(goHeaderFunctions)
	if magic != goMagic118 && magic != goMagic120 || header[7] != 8 ||
		names > units || units > section.FileSize || functions > section.FileSize || word(goHeaderCount) > maxGoFunctions {
		return nil, errGoTable
	}
	t := &goTable{
		address: section.Addr, text: word(goHeaderTextStart), count: int64(word(goHeaderCount)),
		names:     newWindow(f.reader, section.Offset+names, units-names),
		functions: newWindow(f.reader, section.Offset+functions, section.FileSize-functions),
	}
	if text, ok := f.goText(t); ok {
		t.text = text
	}
	return t, nil
}

// scan looks through the functions for those whose names lie at the given
// places.
func (t *goTable) scan(at map[int64]string, found map[string]symbol) error {
	data := *t.functions // a window of its own: entries and data take turns
	data.buf = nil
	for n := range t.count {
		entry, err := t.functions.at(n*goEntrySize, goEntrySize+4)
		if err != nil {
			return err
		}
		start, end := binary.LittleEndian.Uint32(entry), binary.LittleEndian.Uint32(entry[goEntrySize:])
		record, err := data.at(int64(binary.LittleEndian.Uint32(entry[4:])), 8)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return errGoTable
		}
		if err != nil {
			return err
		}
		name, ok := at[int64(int32(binary.LittleEndian.Uint32(record[4:])))]
		if !ok || end <= start {
			continue
		}
		if _, ok := found[name]; !ok {
			found[name] = symbol{address: t.text + uint64(start), size: uint64(end - start), goABI: true}
		}
	}
	return nil
}

// goText finds where the code begins, from the data that describes the module
// to the runtime: its first word is the address of the table, its words
// minpc and text lie one after the other. Since Go 1.26 the table itself does
// not tell. Position-independent programs have both by relocation.
func (f *File) goText(t *goTable) (uint64, bool) {
	var needle [8]byte
	binary.LittleEndian.PutUint64(needle[:], t.address)
	for _, s := range f.sections {
		switch s.Name {
		case ".go.module", ".noptrdata", ".data", ".data.rel.ro":
		default:
			continue
		}
		w := newWindow(f.reader, s.Offset, s.FileSize)
		for at := int64(0); at+goModuleText+8 <= w.size; at += 8 {
			module, err := w.at(at, goModuleText+8)
			if err != nil {
				break
			}
			if [8]byte(module) != needle {
				continue
			}
			if text := binary.LittleEndian.Uint64(module[goModuleText:]); f.isCode(text) {
				return text, true
			}
		}
	}
	return 0, false
}

// isCode says whether an address is that of code in the file.
func (f *File) isCode(address uint64) bool {
	_, _, err := f.offset(address)
	return err == nil && address != 0
}

// IsGo says whether Go's compiler made the file.
func (f *File) IsGo() bool {
	return f.section(".go.buildinfo") != nil || f.section(".gopclntab") != nil || f.section(".data.rel.ro.gopclntab") != nil ||
		f.hasNote(".note.go.buildid")
}

func (f *File) hasNote(name string) bool {
	s := f.section(name)
	return s != nil && s.Type == elf.SHT_NOTE
}
