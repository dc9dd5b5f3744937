package dbconn

import "github.com/sightglass/sightglass/internal/querytext"

// maxPortals bounds the named cursors of one connection that are remembered.
const maxPortals = 64

// Portals are the statements that are bound to cursors. The one without a name
// is nearly always the only one.
type Portals struct {
	unnamed *querytext.Statement
	named   map[string]*querytext.Statement
}

// Put remembers what a cursor runs; nil: it is not known.
func (p *Portals) Put(name []byte, st *querytext.Statement) {
	if len(name) == 0 {
		p.unnamed = st
		return
	}
	if st == nil || len(p.named) >= maxPortals || len(name) > maxName {
		delete(p.named, string(name))
		return
	}
	if p.named == nil {
		p.named = make(map[string]*querytext.Statement)
	}
	p.named[string(name)] = st
}

// Get returns what a cursor runs, nil when it is not known.
func (p *Portals) Get(name []byte) *querytext.Statement {
	if len(name) == 0 {
		return p.unnamed
	}
	return p.named[string(name)]
}

// Clear forgets all of them.
func (p *Portals) Clear() { *p = Portals{} }
