package redis

import (
	"unicode"
	"unicode/utf8"
)

// maxText bounds the text of a command.
const maxText = 512

// building is the command that the client is sending.
type building struct {
	spec   command
	start  uint64 // of the segment that it began in
	bytes  uint64 // on the wire
	name   []byte
	text   []byte // without values
	cut    bool   // text goes on
	script []byte
	db     []byte // that is selected
	waits  bool
	word   []byte // first argument of one that contains commands
	second []byte // and what follows it, where it is looked at
}

func (b *building) reset() {
	*b = building{name: b.name[:0], text: b.text[:0], script: b.script[:0], db: b.db[:0], word: b.word[:0], second: b.second[:0]}
}

// argument takes the next argument of a command: of count, number index, of
// which text is whole if it is.
func (b *building) argument(a *arguments, text []byte, whole bool) {
	i := a.index - 1
	if i == 0 {
		b.spec, _ = lookup(text)
		b.name = append(b.name[:0], text...)
		b.text = append(b.text[:0], text...)
		b.cut = a.inline && a.cut
		return
	}
	key := b.isKey(i, a.count)
	if a.cut && (key || b.spec.kind != plain) {
		b.cut = true
	}
	switch b.spec.kind {
	case selects:
		if whole {
			b.db = append(b.db[:0], text...)
		}
	case blocks:
		b.waits = b.waits || fold(text, "BLOCK")
	case scripts:
		if i == 1 && whole {
			b.script = append(b.script, text...)
		}
	case contains:
		if i == 1 && whole && isName(text) {
			b.word = append(b.word, text...)
			b.show(text)
			return
		}
		if i == 2 && whole && fold(b.word, "REPLY") {
			b.second = append(b.second, text...)
		}
	default:
	}
	if whole && key && printable(text) {
		b.show(text)
		return
	}
	b.show([]byte{'?'})
}

// isKey tells whether argument i of n (with the command) is the name of a key.
func (b *building) isKey(i, n int) bool {
	first, last := b.spec.first, b.spec.last
	if last < 0 {
		last += n
	}
	return first > 0 && i >= first && i <= last && (i-first)%b.spec.step == 0
}

// show adds a word to the text.
func (b *building) show(word []byte) {
	if b.cut = b.cut || len(b.text)+1+len(word) > maxText; b.cut {
		return
	}
	b.text = append(b.text, ' ')
	b.text = append(b.text, word...)
}

// printable tells whether a key can stand in a text as it is.
func printable(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError || unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return false
		}
		b = b[n:]
	}
	return true
}
