package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// wide lists the ranges of runes that take two columns, in rising order: the
// East Asian scripts and the pictographs. Neighbouring blocks are joined where
// what lies between is unassigned.
var wide = [...][2]rune{
	{0x1100, 0x115f},
	{0x2e80, 0x303e},
	{0x3041, 0x4dbf},
	{0x4e00, 0xa4cf},
	{0xa960, 0xa97f},
	{0xac00, 0xd7a3},
	{0xf900, 0xfaff},
	{0xfe30, 0xfe6f},
	{0xff00, 0xff60},
	{0xffe0, 0xffe6},
	{0x1f300, 0x1f64f},
	{0x1f680, 0x1f6ff},
	{0x1f900, 0x1f9ff},
	{0x20000, 0x3fffd},
}

func runeWidth(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	for _, w := range wide {
		if r < w[0] {
			return 1
		}
		if r <= w[1] {
			return 2
		}
	}
	return 1
}

// Width returns the number of columns that s takes.
func (s Safe) Width() int {
	n := 0
	for _, r := range string(s) {
		n += runeWidth(r)
	}
	return n
}

// Cut returns s shortened to at most width columns, ending in mark when
// something was cut away. A width below that of mark gives the start of mark.
func (s Safe) Cut(width int, mark Safe) Safe {
	if len(s) <= width || s.Width() <= width {
		return s
	}
	room := width - mark.Width()
	if room < 0 {
		return mark.head(width)
	}
	return s.head(room) + mark
}

// head returns the longest start of s that fits into width columns.
func (s Safe) head(width int) Safe {
	n := 0
	for i, r := range string(s) {
		n += runeWidth(r)
		if n > width {
			return s[:i]
		}
	}
	return s
}

// PadRight fills s with spaces up to width columns.
func (s Safe) PadRight(width int) Safe {
	return s + spaces(width-s.Width())
}

// PadLeft puts spaces before s up to width columns.
func (s Safe) PadLeft(width int) Safe {
	return spaces(width-s.Width()) + s
}

func spaces(n int) Safe {
	return Safe(strings.Repeat(" ", max(n, 0)))
}

// Wrap breaks s into at most rows pieces of at most width columns, at spaces
// where there are any; what does not fit ends in mark. Width and rows must be
// positive.
func (s Safe) Wrap(width, rows int, mark Safe) []Safe {
	var out []Safe
	for len(out) < rows-1 && s.Width() > width {
		piece := s.head(width)
		if piece == "" { // one wide rune in one column
			_, size := utf8.DecodeRuneInString(string(s))
			piece = s[:size]
		}
		if i := strings.LastIndexByte(string(piece), ' '); i > 0 && s[len(piece)] != ' ' {
			piece = piece[:i]
		}
		out = append(out, Safe(strings.TrimRight(string(piece), " ")))
		s = Safe(strings.TrimLeft(string(s[len(piece):]), " "))
	}
	return append(out, s.Cut(width, mark))
}
