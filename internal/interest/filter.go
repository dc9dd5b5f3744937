package interest

import "slices"

// Class is what is told at once of a call that ended: whether it failed, and its
// detail, two bits. For calls that open files (HasAccess) that is the access
// mode, the two lowest bits of open's flags; for calls over a socket (HasSocket)
// what kind of socket it is; for other calls 0.
type Class uint8

// NumClasses is the number of classes.
const NumClasses = 8

const (
	detailMask  Class = 3
	failedClass Class = 4
)

// What the class of a call over a socket says of the socket, as it is when the
// call has ended. Calls of another thread may have changed it meanwhile.
const (
	SocketOther     uint64 = 0 // any, or not known
	SocketConnected uint64 = 1 // IPv4 or IPv6, with a peer
	SocketUnix      uint64 = 2
)

// Address families of SocketKind.
const (
	familyUnix  = 1
	familyInet  = 2
	familyInet6 = 10
)

// SocketKind is what a class says of a socket; a family of 0 is not known.
func SocketKind(family, peerPort uint16) uint64 {
	switch {
	case family == familyUnix:
		return SocketUnix
	case (family == familyInet || family == familyInet6) && peerPort != 0:
		return SocketConnected
	default:
		return SocketOther
	}
}

// ClassOf is the class of a call by its result and detail.
func ClassOf(result int64, detail uint64) Class {
	c := Class(detail) & detailMask
	if result < 0 {
		c |= failedClass
	}
	return c
}

// Failed reports whether calls of the class end with an error.
func (c Class) Failed() bool { return c&failedClass != 0 }

// Detail is the access mode or kind of socket.
func (c Class) Detail() uint64 { return uint64(c & detailMask) }

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

// HasSocket reports whether the classes of a system call tell what kind of
// socket its first argument is.
func HasSocket(call string) bool { return call == "connect" || Moves(call) }

// Moves reports whether a system call sends or receives over a socket.
func Moves(call string) bool {
	switch call {
	case "sendto", "send", "sendmsg", "sendmmsg", "recvfrom", "recv", "recvmsg", "recvmmsg":
		return true
	default:
		return false
	}
}
