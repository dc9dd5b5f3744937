package probesite

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Errors by which callers tell causes apart.
var (
	// ErrFormat marks a file that is no ELF file of a supported kind.
	ErrFormat = errors.New("not a 64-bit little-endian ELF file for x86-64 or arm64")
	// ErrNoFunction marks a name that no symbol table of the file has.
	ErrNoFunction = errors.New("no such function")
	// ErrNoSite marks a function without an instruction that serves.
	ErrNoSite = errors.New("no site")
)

// Arch is the machine whose instructions a file holds.
type Arch uint8

// The supported machines.
const (
	X86 Arch = iota
	ARM64
)

// maxCode bounds, in bytes, the functions that are looked at.
const maxCode = 16 << 10

// File is an ELF file, an executable or a library. It holds on to its reader
// and reads from it when asked; it is not for concurrent use.
type File struct {
	arch     Arch
	reader   io.ReaderAt
	sections []*elf.Section
	segments []elf.ProgHeader // those that are loaded
	kind     elf.Type
}

// Open reads the headers of an ELF file. The reader must stay open as long as
// the file is used.
func Open(r io.ReaderAt) (*File, error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	if f.Class != elf.ELFCLASS64 || f.Data != elf.ELFDATA2LSB {
		return nil, ErrFormat
	}
	file := &File{reader: r, sections: f.Sections, kind: f.Type}
	switch f.Machine {
	case elf.EM_X86_64:
		file.arch = X86
	case elf.EM_AARCH64:
		file.arch = ARM64
	default:
		return nil, fmt.Errorf("%w: it is for %v", ErrFormat, f.Machine)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD {
			file.segments = append(file.segments, p.ProgHeader)
		}
	}
	return file, nil
}

// Arch returns the machine whose instructions the file holds.
func (f *File) Arch() Arch { return f.arch }

// Function is the code of one function.
type Function struct {
	Name    string
	Address uint64 // virtual, as the file has it
	Offset  uint64 // of its first byte in the file
	Code    []byte
	arch    Arch
	goABI   bool // called by Go's rules: nothing survives a call
}

// Functions returns those functions of the file that have one of the names.
// Names that are not found are left out; none at all is ErrNoFunction. Names
// are looked for in .gopclntab, which Go's linker writes and stripping
// leaves, in .dynsym and in .symtab.
func (f *File) Functions(names ...string) (map[string]Function, error) {
	found, err := f.lookUp(names)
	if err != nil {
		return nil, err
	}
	functions := make(map[string]Function, len(found))
	for name, s := range found {
		fn, err := f.function(name, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		functions[name] = fn
	}
	if len(functions) == 0 {
		return nil, ErrNoFunction
	}
	return functions, nil
}

// Function returns the function of that name, or ErrNoFunction.
func (f *File) Function(name string) (Function, error) {
	all, err := f.Functions(name)
	if err != nil {
		return Function{}, fmt.Errorf("%s: %w", name, err)
	}
	return all[name], nil
}

// symbol is where a function lies.
type symbol struct {
	address, size uint64
	goABI         bool
}

// lookUp asks one table after the other.
func (f *File) lookUp(names []string) (map[string]symbol, error) {
	found := map[string]symbol{}
	for _, table := range []func([]string, map[string]symbol) error{f.goFunctions, f.elfSymbols} {
		missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
			_, ok := found[name]
			return ok
		})
		if len(missing) == 0 {
			break
		}
		if err := table(missing, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// function reads the code of a symbol.
func (f *File) function(name string, s symbol) (Function, error) {
	offset, room, err := f.offset(s.address)
	if err != nil {
		return Function{}, err
	}
	size := min(s.size, room)
	if size == 0 || size > maxCode {
		return Function{}, fmt.Errorf("%w: %d bytes of code", ErrNoSite, size)
	}
	code := make([]byte, size)
	if _, err := f.reader.ReadAt(code, int64(offset)); err != nil {
		return Function{}, err
	}
	return Function{Name: name, Address: s.address, Offset: offset, Code: code, arch: f.arch, goABI: s.goABI}, nil
}

// offset translates an address of executable code to its place in the file,
// and says how many bytes its segment has from there on.
func (f *File) offset(address uint64) (offset, room uint64, err error) {
	for _, p := range f.segments {
		if p.Flags&elf.PF_X == 0 || address < p.Vaddr || address-p.Vaddr >= p.Filesz {
			continue
		}
		in := address - p.Vaddr
		return p.Off + in, p.Filesz - in, nil
	}
	return 0, 0, fmt.Errorf("%w: address %#x is not code", ErrNoFunction, address)
}

// section returns the first section of that name, nil if there is none.
func (f *File) section(name string) *elf.Section {
	for _, s := range f.sections {
		if s.Name == name && s.Type != elf.SHT_NOBITS && s.Flags&elf.SHF_COMPRESSED == 0 {
			return s
		}
	}
	return nil
}
