package probesite

import "fmt"

// What tells the functions of BoringSSL apart where they have no names: each
// reports errors by a number that never changes (ssl.h, err.h), in the name of
// its source file.
const (
	boringSource = "ssl/ssl_lib.cc"

	boringNotForQUIC    = 66  // ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED: read, peek, write and others
	boringBadLength     = 111 // SSL_R_BAD_LENGTH: write
	boringNoSide        = 134 // SSL_R_CONNECTION_TYPE_NOT_SET: handshake
	boringNoContext     = 185 // SSL_R_NULL_SSL_CTX: new
	boringUninitialized = 226 // SSL_R_UNINITIALIZED: write, and what read and peek have in common
)

// boringNear is how far apart SSL_peek and SSL_read, which calls it, may lie in
// code; they follow each other in the source.
const boringNear = 4096

// HasBoringSSL says whether BoringSSL is in the file, be it called or not.
func (f *File) HasBoringSSL() bool {
	texts, err := f.texts(boringSource)
	return err == nil && len(texts) > 0
}

// BoringSSL finds SSL_read, SSL_write, SSL_do_handshake and SSL_new of a BoringSSL
// that is part of a program and has no names, by the errors that they report. It
// reads all the code of the file twice. Either the first two are found, beyond
// doubt, or it is an error; of the others compilers may leave out the errors.
func (f *File) BoringSSL() (map[string]Function, error) {
	texts, err := f.texts(boringSource)
	if err != nil {
		return nil, err
	}
	all, err := f.mentioning(texts)
	if err != nil {
		return nil, err
	}
	b := newBoring(all)
	found := map[string]Function{}
	for name, candidates := range map[string][]Function{
		"SSL_read":         f.boringRead(b),
		"SSL_write":        b.having(boringNotForQUIC, boringUninitialized, boringBadLength),
		"SSL_do_handshake": b.having(boringNoSide),
		"SSL_new":          b.having(boringNoContext),
	} {
		if len(candidates) == 1 {
			found[name] = candidates[0].named(name)
		}
	}
	for _, name := range []string{"SSL_read", "SSL_write"} {
		if _, ok := found[name]; !ok {
			return nil, fmt.Errorf("%w: BoringSSL's %s is not recognised", ErrNoFunction, name)
		}
	}
	return found, nil
}

func (fn Function) named(name string) Function {
	fn.Name = name
	return fn
}

// boring are the functions of BoringSSL's source file that report errors.
type boring struct {
	all     []Function
	numbers []map[int64]bool // that each of them has in it
}

func newBoring(all []Function) *boring {
	b := &boring{all: all}
	for _, fn := range all {
		b.numbers = append(b.numbers, fn.numbers())
	}
	return b
}

// having returns the functions that report all of some errors.
func (b *boring) having(errors ...int64) (found []Function) {
	for n, fn := range b.all {
		has := true
		for _, e := range errors {
			has = has && b.numbers[n][e]
		}
		if has {
			found = append(found, fn)
		}
	}
	return found
}

// boringRead returns what may be SSL_read: it calls SSL_peek, or has it in it.
func (f *File) boringRead(b *boring) []Function {
	var peeks []Function
	for n, fn := range b.all {
		if !b.numbers[n][boringNotForQUIC] || b.numbers[n][boringBadLength] || b.numbers[n][boringNoSide] {
			continue
		}
		if b.numbers[n][boringUninitialized] || b.callsReader(fn) {
			peeks = append(peeks, fn)
		}
	}
	switch len(peeks) {
	case 1:
		if around := f.wrappers(peeks[0]); len(around) > 0 {
			return around
		}
	case 2: // SSL_read has more in it than SSL_peek has
		if len(peeks[0].explore().list) < len(peeks[1].explore().list) {
			return peeks[1:]
		}
		return peeks[:1]
	}
	return peeks
}

// callsReader says whether a function calls one that reads a record: it reports
// that a session is not initialized, but is not SSL_write.
func (b *boring) callsReader(fn Function) bool {
	for n, other := range b.all {
		if b.numbers[n][boringUninitialized] && !b.numbers[n][boringBadLength] && fn.Calls(other.Address) {
			return true
		}
	}
	return false
}

// wrappers returns the functions nearby that hand their arguments on to fn as
// they are.
func (f *File) wrappers(fn Function) (all []Function) {
	starts, err := f.startsNear([]uint64{fn.Address})
	if err != nil {
		return nil
	}
	for n, start := range starts {
		if start+boringNear < fn.Address || start > fn.Address+boringNear || start == fn.Address {
			continue
		}
		size := uint64(maxCode)
		if n+1 < len(starts) {
			size = min(size, starts[n+1]-start)
		}
		wrapper, err := f.function("", symbol{address: start, size: size})
		if err != nil {
			continue
		}
		if inner, err := f.Inner(wrapper, wrapper.Arguments(3)...); err == nil && inner.Address == fn.Address {
			all = append(all, wrapper)
		}
	}
	return all
}
