package probesite

import (
	"debug/elf"
	"encoding/binary"
)

// The layout of a symbol, Elf64_Sym.
const (
	symbolSize        = 24
	symbolOffsetInfo  = 4
	symbolOffsetIndex = 6
	symbolOffsetValue = 8
	symbolOffsetSize  = 16
)

// elfSymbols looks for functions in .dynsym, then in .symtab. A table that
// cannot be read has none.
func (f *File) elfSymbols(names []string, found map[string]symbol) error {
	for _, kind := range []elf.SectionType{elf.SHT_DYNSYM, elf.SHT_SYMTAB} {
		for _, s := range f.sections {
			if s.Type != kind || s.Link == 0 || int(s.Link) >= len(f.sections) {
				continue
			}
			f.scanSymbols(s, f.sections[s.Link], names, found)
			if len(found) == len(names) {
				return nil
			}
		}
	}
	return nil
}

// scanSymbols reads one table twice over, never whole: first the strings, for
// where the names lie, then the symbols, for who has one of them.
func (f *File) scanSymbols(table, strings *elf.Section, names []string, found map[string]symbol) {
	at, err := newWindow(f.reader, strings.Offset, strings.FileSize).find(names)
	if err != nil || len(at) == 0 {
		return
	}
	symbols := newWindow(f.reader, table.Offset, table.FileSize)
	for offset := int64(0); offset < symbols.size; offset += symbolSize {
		s, err := symbols.at(offset, symbolSize)
		if err != nil {
			return
		}
		name, ok := at[int64(binary.LittleEndian.Uint32(s))]
		if !ok || elf.ST_TYPE(s[symbolOffsetInfo]) != elf.STT_FUNC {
			continue
		}
		if index := elf.SectionIndex(binary.LittleEndian.Uint16(s[symbolOffsetIndex:])); index == elf.SHN_UNDEF {
			continue // somebody else's
		}
		if _, ok := found[name]; ok {
			continue
		}
		found[name] = symbol{
			address: binary.LittleEndian.Uint64(s[symbolOffsetValue:]),
			size:    binary.LittleEndian.Uint64(s[symbolOffsetSize:]),
		}
	}
}
