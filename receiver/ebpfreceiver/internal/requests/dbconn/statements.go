package dbconn

import "github.com/sightglass/sightglass/internal/querytext"

// Budget is shared by the Statements of many connections. It is used by one
// goroutine.
type Budget struct {
	Limit int // of statements that are remembered
	used  int
}

// Bounds of what one connection may remember.
const (
	maxPerConnection = 1024
	maxName          = 64
)

// Statements are the prepared statements of a connection by their names. What
// finds no room is not known later, which is said.
type Statements struct {
	Budget *Budget
	named  map[string]*querytext.Statement
}

// Put remembers a statement in place of an earlier one of the same name.
func (s *Statements) Put(name []byte, st *querytext.Statement) {
	if _, ok := s.named[string(name)]; ok {
		s.named[string(name)] = st
		return
	}
	if len(s.named) >= maxPerConnection || s.Budget.used >= s.Budget.Limit || len(name) > maxName {
		return
	}
	if s.named == nil {
		s.named = make(map[string]*querytext.Statement)
	}
	s.Budget.used++
	s.named[string(name)] = st
}

// Get returns a statement, nil when it is not known.
func (s *Statements) Get(name []byte) *querytext.Statement { return s.named[string(name)] }

// Delete forgets a statement.
func (s *Statements) Delete(name []byte) {
	if _, ok := s.named[string(name)]; ok {
		s.Budget.used--
		delete(s.named, string(name))
	}
}

// Clear forgets all of them.
func (s *Statements) Clear() {
	s.Budget.used -= len(s.named)
	s.named = nil
}
