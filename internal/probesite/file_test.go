package probesite

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"reflect"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// image is an ELF file with one segment of code and the given symbols in
// .symtab; each symbol gets four bytes.
func image(tb testing.TB, machine elf.Machine, symbols ...string) []byte {
	tb.Helper()
	const codeAt, base = 0x100, 0x400000
	code := bytes.Repeat([]byte{0x55, 0x90, 0x90, 0xc3}, len(symbols))
	names, table := []byte{0}, make([]byte, symbolSize)
	for n, name := range symbols {
		s := elf.Sym64{
			Name: uint32(len(names)), Info: elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC), Shndx: 1,
			Value: base + uint64(n)*4, Size: 4,
		}
		var err error
		table, err = binary.Append(table, binary.LittleEndian, s)
		require.NoError(tb, err)
		names = append(append(names, name...), 0)
	}
	const sectionNames = "\x00.text\x00.symtab\x00.strtab\x00"
	at := uint64(codeAt + len(code))
	place := func(b []byte) uint64 { start := at; at += uint64(len(b)); return start }
	sections := []elf.Section64{
		{},
		{Name: 1, Type: uint32(elf.SHT_PROGBITS), Flags: uint64(elf.SHF_ALLOC | elf.SHF_EXECINSTR), Addr: base, Off: codeAt, Size: uint64(len(code))},
		{Name: 7, Type: uint32(elf.SHT_SYMTAB), Off: place(table), Size: uint64(len(table)), Link: 3, Entsize: symbolSize},
		{Name: 15, Type: uint32(elf.SHT_STRTAB), Off: place(names), Size: uint64(len(names))},
		{Name: 15, Type: uint32(elf.SHT_STRTAB), Off: place([]byte(sectionNames)), Size: uint64(len(sectionNames))},
	}
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1, Ehsize: 64, Phoff: 64, Phentsize: 56, Phnum: 1,
		Shoff: at, Shentsize: 64, Shnum: uint16(len(sections)), Shstrndx: 4,
	}
	segment := elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Off: codeAt, Vaddr: base,
		Filesz: uint64(len(code)), Memsz: uint64(len(code)),
	}
	var file []byte
	for _, part := range []any{header, segment} {
		var err error
		file, err = binary.Append(file, binary.LittleEndian, part)
		require.NoError(tb, err)
	}
	file = append(file, make([]byte, codeAt-len(file))...)
	file = append(append(append(append(file, code...), table...), names...), sectionNames...)
	file, err := binary.Append(file, binary.LittleEndian, sections)
	require.NoError(tb, err)
	return file
}

func TestFunctionsBySymbol(t *testing.T) {
	file, err := Open(bytes.NewReader(image(t, elf.EM_X86_64, "first", "my_SSL_read", "SSL_read", "last")))
	require.NoError(t, err)
	require.Equal(t, X86, file.Arch())

	found, err := file.Functions("SSL_read", "last", "absent")
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.Equal(t, uint64(0x400008), found["SSL_read"].Address, "not the longer name that ends alike")
	require.Equal(t, uint64(0x108), found["SSL_read"].Offset)
	require.Equal(t, []byte{0x55, 0x90, 0x90, 0xc3}, found["last"].Code)

	_, err = file.Function("absent")
	require.ErrorIs(t, err, ErrNoFunction)
	require.ErrorContains(t, err, "absent")
}

func TestOpenRefuses(t *testing.T) {
	for name, content := range map[string][]byte{
		"nothing":         nil,
		"a script":        []byte("#!/bin/sh\n"),
		"another machine": image(t, elf.EM_RISCV, "f"),
		"cut short":       image(t, elf.EM_X86_64, "f")[:80],
	} {
		_, err := Open(bytes.NewReader(content))
		require.ErrorIs(t, err, ErrFormat, name)
	}
}

// TestFunctionsOfGo finds functions of this very program, which the go command
// linked without a symbol table.
func TestFunctionsOfGo(t *testing.T) {
	self, err := os.Open("/proc/self/exe")
	require.NoError(t, err)
	defer func() { require.NoError(t, self.Close()) }()
	file, err := Open(self)
	require.NoError(t, err)
	require.True(t, file.IsGo())

	const name = "github.com/sightglass/sightglass/internal/probesite.Open"
	fn, err := file.Function(name)
	require.NoError(t, err)
	require.Equal(t, uint64(reflect.ValueOf(Open).Pointer()), fn.Address)
	require.Equal(t, name, runtime.FuncForPC(uintptr(fn.Address)).Name())
	site, err := fn.Entry(modern, fn.Arguments(2)...)
	require.NoError(t, err)
	require.Positive(t, site.Delta, "behind the stack check, which may run twice")
}

// TestSystemLibraries finds what is probed in the libraries of this system,
// whatever their version.
func TestSystemLibraries(t *testing.T) {
	for path, names := range map[string][]string{
		"/usr/lib/x86_64-linux-gnu/libssl.so.3":     {"SSL_read", "SSL_write", "SSL_read_ex", "SSL_write_ex"},
		"/usr/lib/x86_64-linux-gnu/libgnutls.so.30": {"gnutls_record_send", "gnutls_record_recv"},
	} {
		t.Run(path, func(t *testing.T) {
			library, err := os.Open(path)
			if os.IsNotExist(err) {
				t.Skip("not installed")
			}
			require.NoError(t, err)
			defer func() { require.NoError(t, library.Close()) }()
			file, err := Open(library)
			require.NoError(t, err)
			require.False(t, file.IsGo())
			found, err := file.Functions(names...)
			require.NoError(t, err)
			if wrapper, ok := found["SSL_read_ex"]; ok {
				inner, err := file.Inner(wrapper, wrapper.Arguments(4)...)
				require.NoError(t, err)
				require.True(t, found["SSL_read"].Calls(inner.Address))
				site, err := inner.Entry(modern, inner.Arguments(4)...)
				require.NoError(t, err)
				require.True(t, site.AtCall)
				require.Equal(t, Emulated, site.Cost)
			}
			for _, name := range names {
				site, err := found[name].Entry(modern, found[name].Arguments(3)...)
				require.NoError(t, err, name)
				require.Equal(t, Emulated, site.Cost, name)
			}
		})
	}
}

// FuzzOpen: arbitrary files neither panic nor take unbounded memory.
func FuzzOpen(f *testing.F) {
	f.Add(image(f, elf.EM_X86_64, "SSL_read"))
	f.Add(image(f, elf.EM_AARCH64, "SSL_read", "other"))
	f.Fuzz(func(_ *testing.T, content []byte) {
		file, err := Open(bytes.NewReader(content))
		if err != nil {
			return
		}
		fn, err := file.Function("SSL_read")
		if err == nil {
			_, _ = file.Inner(fn, fn.Arguments(3)...)
		}
		if err != nil {
			return
		}
		_, _ = fn.Entry(modern, fn.Arguments(3)...)
		_, _ = fn.Returns(modern)
	})
}
