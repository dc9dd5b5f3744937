package interest

import "slices"

// Class is what is told at once of a call that ended: whether it failed, and
// for calls that open files the access mode they asked for, the two lowest bits
// of open's flags (0 for other calls).
type Class uint8

// NumClasses is the number of classes.
const NumClasses = 8

const (
	accessMask  Class = 3
	failedClass Class = 4
)

// ClassOf is the class of a call by its result and access mode.
func ClassOf(result int64, access uint64) Class {
	c := Class(access) & accessMask
	if result < 0 {
		c |= failedClass
	}
	return c
}

// Failed reports whether calls of the class end with an error.
func (c Class) Failed() bool { return c&failedClass != 0 }

// Access is the access mode of the class.
func (c Class) Access() uint64 { return uint64(c & accessMask) }

// Wish says which calls of one class are wanted: any, or those for which one of
// the lists has the beginning. The zero value wants none.
type Wish struct {
	Any bool
	// Named is about the path that the program gave, made absolute lexically;
	// one that is not plain (IsPlain) always has a beginning here, unless the
	// list is empty. Resolved is about the kernel's own path of the file that
	// was opened, Programs about the name of the process as its exec set it.
	Named, Resolved, Programs Beginnings
}

// None reports whether no call is wanted.
func (w *Wish) None() bool {
	return !w.Any && len(w.Named) == 0 && len(w.Resolved) == 0 && len(w.Programs) == 0
}

// Or is what either of both wants.
func (w *Wish) Or(o *Wish) Wish {
	if w.Any || o.Any {
		return Wish{Any: true}
	}
	return Wish{
		Named:    w.Named.union(o.Named),
		Resolved: w.Resolved.union(o.Resolved),
		Programs: w.Programs.union(o.Programs),
	}
}

// Equal reports whether both want the same.
func (w *Wish) Equal(o *Wish) bool {
	return w.Any == o.Any && slices.Equal(w.Named, o.Named) &&
		slices.Equal(w.Resolved, o.Resolved) && slices.Equal(w.Programs, o.Programs)
}

// Filter is what is wanted of one system call, by class. It never leaves out a
// call that somebody wants, and may let others pass.
type Filter [NumClasses]Wish

// Everything wants all calls.
func Everything() *Filter {
	f := &Filter{}
	for c := range f {
		f[c].Any = true
	}
	return f
}

// Or is what either of both wants.
func (f *Filter) Or(o *Filter) *Filter {
	out := &Filter{}
	for c := range f {
		out[c] = f[c].Or(&o[c])
	}
	return out
}

// Selective reports whether there are calls that are not wanted.
func (f *Filter) Selective() bool {
	for c := range f {
		if !f[c].Any {
			return true
		}
	}
	return false
}

func (f *Filter) equal(o *Filter) bool {
	for c := range f {
		if !f[c].Equal(&o[c]) {
			return false
		}
	}
	return true
}

// HasAccess reports whether the classes of a system call tell its access mode.
func HasAccess(call string) bool {
	return call == "open" || call == "openat" || call == "openat2"
}
