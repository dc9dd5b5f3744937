package record

import (
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/schema"
)

// Slots beyond those of the policies' attributes: what the view itself needs.
const (
	ownProcessKey = iota
	ownParentKey
	ownSealed
	ownCount
)

var ownNames = [ownCount]string{
	ownProcessKey: schema.ProcessKey,
	ownParentKey:  schema.ProcessParentKey,
	ownSealed:     schema.Sealed,
}

// names maps the attribute names that anybody asks for to dense slot numbers:
// first the policies' attributes, by their own number, then the view's own.
// It is an open-addressed table, read only after construction.
type names struct {
	slots int
	mask  uint32
	cells []cell
}

type cell struct {
	name string
	slot int32
}

var known = newNames()

func newNames() *names {
	n := &names{slots: field.NumAttrs() + int(ownCount)}
	size := uint32(1)
	for size < uint32(n.slots)*8 { // sparse: nearly every probe ends at its first cell
		size *= 2
	}
	n.mask, n.cells = size-1, make([]cell, size)
	for a := range field.NumAttrs() {
		n.add(field.Attr(a).Name(), a)
	}
	for i, name := range ownNames {
		n.add(name, field.NumAttrs()+i)
	}
	return n
}

func (n *names) add(name string, slot int) {
	i := hash(name) & n.mask
	for n.cells[i].name != "" && n.cells[i].name != name {
		i = (i + 1) & n.mask
	}
	if n.cells[i].name == "" { // the policies' own number wins over ours
		n.cells[i] = cell{name: name, slot: int32(slot)}
	}
}

// find gives the slot of an attribute, or -1 when nobody asks for it.
func (n *names) find(name string) int {
	i := hash(name) & n.mask
	for {
		c := &n.cells[i]
		if c.name == "" {
			return -1
		}
		if c.name == name {
			return int(c.slot)
		}
		i = (i + 1) & n.mask
	}
}

// slotOf gives the slot of one of the view's own names.
func slotOf(own int) int { return field.NumAttrs() + own }

// hash mixes the length and three eight-byte windows of a name: attribute
// names share long beginnings ("sightglass.process.") and differ at the end.
func hash(s string) uint32 {
	n := len(s)
	if n < 8 {
		var h uint64
		for i := range n {
			h = h<<8 | uint64(s[i])
		}
		return mix(h ^ uint64(n))
	}
	return mix(load(s, n-8)*0x9e3779b97f4a7c15 ^ load(s, n/2-4) ^ uint64(n)<<56)
}

func load(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func mix(h uint64) uint32 {
	h *= 0xff51afd7ed558ccd
	return uint32(h >> 33)
}
