package mongodb

// Bounds of the text of a command.
const (
	maxText  = 1024
	maxDepth = 16
)

// writer builds the text of a command: what it asks for, with the names of
// fields and a ? for each value. A list of values is one.
type writer struct {
	dst []byte
	cut bool // what was asked for goes on
}

// begin begins the text with the command itself.
func (w *writer) begin(name string, collection []byte) {
	w.dst = append(w.dst[:0], '{')
	w.cut = false
	w.name([]byte(name))
	w.dst = append(w.dst, '"')
	w.quoted(collection)
	w.dst = append(w.dst, '"')
}

// field adds a field of the command.
func (w *writer) field(e *element) {
	if w.cut {
		return
	}
	w.dst = append(w.dst, ',')
	w.name(e.key)
	w.value(e, 0)
}

// sequence adds a field whose documents came as a sequence, of which the first
// tells what it is about.
func (w *writer) sequence(name []byte, first document, more bool) {
	if w.cut {
		return
	}
	w.dst = append(w.dst, ',')
	w.name(name)
	w.dst = append(w.dst, '[')
	w.fields(first, 1)
	if more && !w.cut {
		w.dst = append(w.dst, ",..."...)
	}
	w.dst = append(w.dst, ']')
}

// end returns the text; it is valid until begin.
func (w *writer) end() []byte {
	if w.cut {
		return w.dst
	}
	return append(w.dst, '}')
}

func (w *writer) name(key []byte) {
	w.dst = append(w.dst, '"')
	w.quoted(key)
	w.dst = append(w.dst, `":`...)
}

// quoted adds a name; what would end it, or is no text, is replaced.
func (w *writer) quoted(name []byte) {
	for _, c := range name {
		if c == '"' || c == '\\' || c < ' ' {
			c = '?'
		}
		w.dst = append(w.dst, c)
	}
}

func (w *writer) value(e *element, depth int) {
	switch e.kind {
	case kindDocument:
		w.fields(e.document(), depth+1)
	case kindArray:
		w.list(e.document(), depth+1)
	default:
		w.dst = append(w.dst, '?')
		w.cut = w.cut || !e.whole
	}
}

// full tells whether there is no room for more.
func (w *writer) full(depth int) bool {
	w.cut = w.cut || len(w.dst) > maxText || depth > maxDepth
	return w.cut
}

func (w *writer) fields(d document, depth int) {
	w.dst = append(w.dst, '{')
	e := element{}
	for first := true; !w.full(depth) && d.next(&e); first = false {
		if !first {
			w.dst = append(w.dst, ',')
		}
		w.name(e.key)
		w.value(&e, depth)
	}
	if w.cut = w.cut || !d.ended; !w.cut {
		w.dst = append(w.dst, '}')
	}
}

func (w *writer) list(d document, depth int) {
	w.dst = append(w.dst, '[')
	e, before := element{}, byte(0)
	for !w.full(depth) && d.next(&e) {
		nested := e.kind == kindDocument || e.kind == kindArray
		switch {
		case before == 0:
		case !nested && before == '?':
			w.cut = w.cut || !e.whole
			continue
		default:
			w.dst = append(w.dst, ',')
		}
		if before = '?'; nested {
			before = '{'
		}
		w.value(&e, depth)
	}
	if w.cut = w.cut || !d.ended; !w.cut {
		w.dst = append(w.dst, ']')
	}
}
