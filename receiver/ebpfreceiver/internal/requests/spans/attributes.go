package spans

import (
	"unsafe"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Attributes of spans are the dearest part of the agent: pdata allocates each
// value apart, and the collector of garbage looks at each. Here they are written
// into pieces of memory that hold those of many spans, in the form that pdata
// keeps them in:
//
//	pcommon.Map -> []attribute -> content -> a value in a piece of its own kind
//
// Texts that are seen again and again are not even written: the attributes of all
// spans have the same one (shared).
//
// That form is nobody's promise, so it is compared with what pdata makes before it
// is used (formOf). Where it differs, attributes are written through pdata's own
// functions, as they are when there are more than there is room for. Once written
// they are like any others: whoever changes one puts a new value in its place.

// attribute has the form of pdata's KeyValue.
type attribute struct {
	content content
	key     string
	_       int32 // an index into a table of keys, which only profiles have
}

// content has the form of an interface value: what is behind data is of the type
// that kind names.
type content struct{ kind, data unsafe.Pointer }

// attributesOf is the list behind a map.
func attributesOf(m pcommon.Map) *[]attribute {
	return (*struct {
		list  *[]attribute
		state unsafe.Pointer
	})(unsafe.Pointer(&m)).list
}

// form is what the content of each kind of value begins with.
type form struct {
	text, integer, float unsafe.Pointer
	known                bool
}

// formOf finds out the form in which pdata keeps attributes, and whether it is the
// one that is described here. That may change when the program starts: with the
// feature gate pdata.useProtoPooling a value that is replaced is used again, which
// those that are shared must not be.
func formOf() (f form) {
	if unsafe.Sizeof(pcommon.Map{}) != 2*unsafe.Sizeof(uintptr(0)) {
		return form{}
	}
	m := pcommon.NewMap()
	m.PutStr("a text", "text")
	m.PutInt("an integer", -5)
	m.PutDouble("a float", 0.25)
	list := *attributesOf(m)
	if len(list) != 3 || cap(list) < 3 {
		return form{}
	}
	for i, key := range []string{"a text", "an integer", "a float"} {
		if a := &list[i]; a.key != key || a.content.kind == nil || a.content.data == nil {
			return form{}
		}
	}
	f = form{text: list[0].content.kind, integer: list[1].content.kind, float: list[2].content.kind}
	f.known = *(*string)(list[0].content.data) == "text" && *(*int64)(list[1].content.data) == -5 &&
		*(*float64)(list[2].content.data) == 0.25
	before := (*string)(list[0].content.data)
	m.PutStr("a text", "another")
	f.known = f.known && *before == "text"
	return f
}

// Sizes of the pieces.
const (
	pieceAttributes = 512 // 20 KB, a size of which the allocator wastes nothing
	pieceTexts      = 512
	pieceNumbers    = 512
	mostAttributes  = 40 // that a span has room for at least
)

// pieces are where the next attributes go. With the zero value they go where pdata
// puts them. One goroutine.
type pieces struct {
	form       form
	attributes []attribute
	texts      []string
	integers   []int64
	floats     []float64
}

// begin gives a map, which has to be empty, room. It returns the list behind the
// map, nil when that has to be left to pdata.
func (p *pieces) begin(m pcommon.Map) *[]attribute {
	if !p.form.known {
		m.EnsureCapacity(mostAttributes / 2)
		return nil
	}
	if len(p.attributes) < mostAttributes {
		p.attributes = make([]attribute, pieceAttributes)
	}
	list := attributesOf(m)
	*list = p.attributes[:0]
	return list
}

// end keeps the room that a map did not need for the next one.
func (p *pieces) end(list *[]attribute) {
	if list == nil || len(*list) == 0 || &(*list)[0] != &p.attributes[0] {
		return // it is pdata's, or has become so
	}
	n := len(*list)
	*list = (*list)[:n:n]
	p.attributes = p.attributes[n:]
}

// add adds an attribute to a list that has room for it, behind the value's box,
// which is of the type that kind names.
func add(list *[]attribute, key string, kind, box unsafe.Pointer) {
	n := len(*list)
	*list = (*list)[:n+1]
	// Field by field: while garbage is collected, copying all of it costs more.
	a := &(*list)[n]
	a.content.kind, a.content.data, a.key = kind, box, key
}

// place puts a value into a piece, or into the next one of n values.
func place[T any](piece *[]T, value T, n int) *T {
	if len(*piece) == 0 {
		*piece = make([]T, n)
	}
	at := &(*piece)[0]
	*at = value
	*piece = (*piece)[1:]
	return at
}
