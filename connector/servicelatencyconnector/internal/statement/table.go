// Package statement finds out which database statements a service spends its
// time on.
package statement

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
)

// Side says who saw a statement.
type Side uint8

// The sides.
const (
	Client Side = iota
	Server
)

// String returns the side as an attribute's value.
func (s Side) String() string {
	if s == Server {
		return "server"
	}
	return "client"
}

// Seen is one execution of a statement. Strings and slices belong to the caller.
type Seen struct {
	Side      Side
	System    string
	Namespace string
	Summary   string
	Peer      string
	Text      []byte // sanitized
	Truncated bool
	Failed    bool
	Sample    aggregate.Sample // of its duration, with the ids of the span
}

// Statement is what all executions of a statement have in common, and what they
// took together.
type Statement struct {
	Side                             Side
	System, Namespace, Summary, Peer string
	Text                             string
	Truncated                        bool
	Rest                             bool // stands for those for which there was no room
	Rank                             int  // by total time, from 1; set by Take
	Failed                           uint64
	Estimated                        bool // some executions stand for others, which were not seen
	Durations                        *aggregate.Histogram
	Worst                            aggregate.Exemplar // the slowest execution
}

// Service is one service's statements.
type Service struct {
	Identity   string // key of its resource attributes
	Statements []*Statement

	known map[string]*Statement
}

// Table collects statements during an interval. Any number of goroutines may
// record.
type Table struct {
	limit int // most statements, without the rests
	shape *aggregate.Shape

	mu       sync.Mutex
	services map[string]*Service
	size     int
}

// NewTable returns a table for at most limit statements per interval. Further
// ones are counted together, by service.
func NewTable(limit int) *Table {
	return &Table{limit: limit, shape: aggregate.NewExponential(160, aggregate.MaxScale), services: map[string]*Service{}}
}

// restIdentity is the service of those for which there was no room.
var restIdentity = aggregate.AppendNamed(nil, "service.name", aggregate.StringValue("sightglass.overflow"))

// Record counts an execution by a service. buf is scratch memory, returned for reuse.
func (t *Table) Record(identity []byte, seen *Seen, buf []byte) []byte {
	buf = appendKey(buf[:0], seen)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.statement(t.service(identity), seen, buf).add(seen)
	return buf
}

func appendKey(dst []byte, seen *Seen) []byte {
	dst = append(dst, byte(seen.Side))
	for _, part := range []string{seen.System, seen.Namespace, seen.Summary, seen.Peer} {
		dst = append(dst, part...)
		dst = append(dst, 0)
	}
	return append(dst, seen.Text...)
}

func (t *Table) service(identity []byte) *Service {
	if s := t.services[string(identity)]; s != nil {
		return s
	}
	if len(t.services) >= t.limit && string(identity) != string(restIdentity) {
		return t.service(restIdentity)
	}
	s := &Service{Identity: string(identity), known: map[string]*Statement{}}
	t.services[s.Identity] = s
	return s
}

func (t *Table) statement(of *Service, seen *Seen, key []byte) *Statement {
	if s := of.known[string(key)]; s != nil {
		return s
	}
	if t.size >= t.limit {
		return t.rest(of, seen.Side)
	}
	t.size++
	s := of.add(string(key), t.shape)
	s.Side, s.Truncated = seen.Side, seen.Truncated
	s.System, s.Namespace = strings.Clone(seen.System), strings.Clone(seen.Namespace)
	s.Summary, s.Peer, s.Text = strings.Clone(seen.Summary), strings.Clone(seen.Peer), string(seen.Text)
	return s
}

// rest returns what counts a service's statements for which there is no room.
func (t *Table) rest(of *Service, side Side) *Statement {
	key := side.String()
	if s := of.known[key]; s != nil {
		return s
	}
	s := of.add(key, t.shape)
	s.Side, s.Rest = side, true
	return s
}

func (s *Service) add(key string, shape *aggregate.Shape) *Statement {
	added := &Statement{Durations: aggregate.NewHistogram(shape)}
	s.known[key] = added
	s.Statements = append(s.Statements, added)
	return added
}

func (s *Statement) add(seen *Seen) {
	if s.Durations.Count() == 0 || seen.Sample.Exemplar.Value > s.Worst.Value {
		s.Worst = seen.Sample.Exemplar
	}
	s.Durations.Record(&seen.Sample, 0)
	if seen.Failed {
		s.Failed += 1 + seen.Sample.Others
	}
	s.Estimated = s.Estimated || seen.Sample.Others > 0
}

// Take ends the interval. Of each service it returns the top statements by
// total time, by count and by 95th percentile, and the rests. What servers saw
// is left out where a client has reported the same statement.
func (t *Table) Take(top int) []*Service {
	t.mu.Lock()
	services := t.services
	t.services, t.size = map[string]*Service{}, 0
	t.mu.Unlock()
	byClient := clientTexts(services)
	var out []*Service
	for _, s := range services {
		s.Statements = slices.DeleteFunc(s.Statements, func(st *Statement) bool {
			_, seen := byClient[st.System+"\x00"+st.Text]
			return st.Side == Server && !st.Rest && seen
		})
		if s.Statements = choose(s.Statements, top); len(s.Statements) > 0 {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b *Service) int { return cmp.Compare(a.Identity, b.Identity) })
	return out
}

func clientTexts(services map[string]*Service) map[string]struct{} {
	texts := map[string]struct{}{}
	for _, s := range services {
		for _, st := range s.Statements {
			if st.Side == Client && !st.Rest {
				texts[st.System+"\x00"+st.Text] = struct{}{}
			}
		}
	}
	return texts
}

// choose ranks statements by total time and keeps those that lead by any measure.
func choose(all []*Statement, top int) []*Statement {
	keep := map[*Statement]bool{}
	for _, measure := range []func(*Statement) float64{
		func(s *Statement) float64 { return float64(s.Durations.Count()) },
		func(s *Statement) float64 { return s.Durations.Quantile(0.95) },
		func(s *Statement) float64 { return s.Durations.Sum() }, // last: the order of the result
	} {
		slices.SortStableFunc(all, func(a, b *Statement) int {
			return cmp.Or(cmp.Compare(measure(b), measure(a)), cmp.Compare(a.Text, b.Text))
		})
		for _, s := range all[:min(top, len(all))] {
			keep[s] = true
		}
	}
	for i, s := range all {
		s.Rank = i + 1
	}
	return slices.DeleteFunc(all, func(s *Statement) bool { return !keep[s] && !s.Rest })
}
