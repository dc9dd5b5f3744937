package bpf

import (
	"fmt"
	"os"

	"github.com/cilium/ebpf"
)

// Class is one of the two kinds of records, each with a ring of its own.
type Class int

// Classes.
const (
	Security Class = iota
	Requests
)

// Classes lists them.
var Classes = []Class{Security, Requests}

func (c Class) String() string {
	if c == Requests {
		return "requests"
	}
	return "security"
}

// FilterReasons tell why a record was made and left out on purpose, in the order of
// Counters.Filtered.
var FilterReasons = []string{"self", "thread", "interest", "restart"}

// LossReasons tell why a record was made and could not be sent, in the order of
// Counters.Lost.
var LossReasons = []string{"ring_full", "scratch", "overload"}

// Counters of one class on one CPU.
type Counters struct {
	Produced uint64
	Filtered [4]uint64 // by FilterReasons
	Lost     [4]uint64 // by LossReasons
	Late     uint64    // records with arguments that were read only at the end of the call
}

// ClassStats is how one class stands. Once its ring is drained,
// Received + filtered + lost = Produced, summed over the CPUs.
type ClassStats struct {
	Received uint64
	CPUs     []Counters // by number of the CPU
}

// Total is the sum over all CPUs.
func (s *ClassStats) Total() Counters {
	var sum Counters
	for i := range s.CPUs {
		c := &s.CPUs[i]
		sum.Produced += c.Produced
		sum.Late += c.Late
		for r := range c.Filtered {
			sum.Filtered[r] += c.Filtered[r]
		}
		for r := range c.Lost {
			sum.Lost[r] += c.Lost[r]
		}
	}
	return sum
}

// TotalFiltered and TotalLost are the sums over all reasons.
func (c *Counters) TotalFiltered() uint64 { return sum(c.Filtered[:]) }

// TotalLost is the sum over all reasons.
func (c *Counters) TotalLost() uint64 { return sum(c.Lost[:]) }

func sum(v []uint64) uint64 {
	var n uint64
	for _, x := range v {
		n += x
	}
	return n
}

// Stats is how the agent stands.
type Stats struct {
	Classes [2]ClassStats // by Class
	// Skipped counts, by hook, the runs that the kernel left out because the
	// program was already running on that CPU. What they would have recorded
	// is lost, and cannot be attributed to a class.
	Skipped map[string]uint64
}

// Stats reads the counters. It costs a few system calls.
func (a *Agent) Stats() (Stats, error) {
	s := Stats{Skipped: map[string]uint64{}}
	if !a.readers.enter() {
		return s, os.ErrClosed
	}
	defer a.readers.leave()
	for _, class := range Classes {
		c, err := readCounters(a.maps["counters"], class)
		if err != nil {
			return s, err
		}
		s.Classes[class] = ClassStats{Received: a.sources[class].Received(), CPUs: c}
	}
	for _, h := range a.attached {
		st, err := h.program.Stats()
		if err != nil {
			continue // the kernel does not tell
		}
		s.Skipped[h.name] = st.RecursionMisses
	}
	return s, nil
}

func readCounters(m *ebpf.Map, class Class) ([]Counters, error) {
	var raw []securityCounters
	if err := m.Lookup(uint32(class), &raw); err != nil {
		return nil, fmt.Errorf("reading the counters of %s: %w", class, err)
	}
	out := make([]Counters, len(raw))
	for i, c := range raw {
		out[i] = Counters{Produced: c.Produced + c.Told + c.LeftOut, Filtered: c.Filtered, Lost: c.Lost, Late: c.Late}
		out[i].Filtered[securityFilterReasonFILTER_INTEREST] += c.LeftOut
	}
	return out, nil
}
