package exchange

import "iter"

// List holds exchanges that are under way. The zero value is empty. An exchange
// can be in one list at a time.
type List struct {
	head *Exchange
	n    int
}

// Len is the number of exchanges in the list.
func (l *List) Len() int { return l.n }

// Add puts an exchange in that is in no list.
func (l *List) Add(e *Exchange) {
	e.prev, e.next = nil, l.head
	if l.head != nil {
		l.head.prev = e
	}
	l.head = e
	l.n++
}

// Remove takes out an exchange that is in the list.
func (l *List) Remove(e *Exchange) {
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		l.head = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	}
	e.prev, e.next = nil, nil
	l.n--
}

// All lists them, the youngest first. They are the list's.
func (l *List) All() iter.Seq[*Exchange] {
	return func(yield func(*Exchange) bool) {
		for e := l.head; e != nil; e = e.next {
			if !yield(e) {
				return
			}
		}
	}
}
