package encryption

import (
	"path"
	"strings"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/probesite"
)

// function is a function of a library that is probed.
type function struct {
	symbol     string
	parameters int            // that must be in their registers at the entry
	enter      bpf.TLSProgram // runs there; empty for none
	leave      bpf.TLSProgram // runs where it returns; empty for none
	// rare functions are called once or a few times for a connection, not for
	// each request.
	rare bool
	// optional functions are not used by all programs, or make what is seen more
	// exact; without the others the library is not followed.
	optional bool
	// with is the function without which this one is of no use.
	with string
	// twin is another function that does the same by the same inner one. That is
	// probed in place of both where it can be: it costs less, and some compilers
	// leave wrappers without a cheap place.
	twin string
	// through is another function, listed before, by which this one does all its
	// work. Where that one is probed, a call of this one would be told twice.
	through string
	// shared: others come by its inner functions, too. It is left alone where the
	// places are found by which all of these pass.
	shared bool
}

// library is a kind of library that encrypts.
type library struct {
	name      string
	files     []string // what the base names of its files begin with
	functions []function
	// places finds those in inner functions.
	places func(*probesite.File, probesite.Kernel, *Prices) ([]bpf.TLSProbe, error)
	// locate finds the functions where they have no names.
	locate func(*probesite.File) (map[string]probesite.Function, error)
	// find chooses the places where that takes more than the functions.
	find func(*probesite.File, probesite.Kernel, *Prices) ([]bpf.TLSProbe, error)
}

// libraries lists what is followed. Functions of which one is made of another
// are not both listed, except where both ways come to different places.
var libraries = []library{{
	name:   "OpenSSL",
	files:  []string{"libssl.so", "libssl-"},
	places: openSSLPlaces,
	functions: []function{
		{symbol: "SSL_read", parameters: 3, enter: bpf.TLSRead, leave: bpf.TLSReadReturn, shared: true},
		{symbol: "SSL_write", parameters: 3, enter: bpf.TLSWrite},
		{symbol: "SSL_read_ex", parameters: 4, enter: bpf.TLSReadCounted, leave: bpf.TLSReadReturn, optional: true, twin: "SSL_read", shared: true},
		{symbol: "SSL_write_ex", parameters: 3, enter: bpf.TLSWrite, optional: true, with: "SSL_read_ex", twin: "SSL_write"},
		{symbol: "SSL_do_handshake", parameters: 1, enter: bpf.TLSHandshake, leave: bpf.TLSHandshakeReturn, rare: true, optional: true, shared: true},
		{symbol: "SSL_get_early_data_status", parameters: 1, enter: bpf.TLSStatus, leave: bpf.TLSStatusReturn, rare: true, optional: true},
		{symbol: "SSL_free", parameters: 1, enter: bpf.TLSFree, rare: true, optional: true},
	},
}, {
	name:  "GnuTLS",
	files: []string{"libgnutls.so"},
	functions: []function{
		{symbol: "gnutls_record_recv", parameters: 3, enter: bpf.TLSRead, leave: bpf.TLSReadReturn},
		{symbol: "gnutls_record_recv_early_data", parameters: 3, enter: bpf.TLSRead, leave: bpf.TLSReadReturn, rare: true, optional: true},
		{symbol: "gnutls_record_send2", parameters: 3, enter: bpf.TLSWrite, optional: true},
		{symbol: "gnutls_record_send", parameters: 3, enter: bpf.TLSWrite, through: "gnutls_record_send2"},
		{symbol: "gnutls_record_cork", parameters: 1, enter: bpf.TLSCork, rare: true, optional: true},
		{symbol: "gnutls_record_uncork", parameters: 1, enter: bpf.TLSUncork, rare: true, optional: true},
		{symbol: "gnutls_handshake", parameters: 1, enter: bpf.TLSHandshake, leave: bpf.TLSHandshakeReturn, rare: true, optional: true},
		{symbol: "gnutls_deinit", parameters: 1, enter: bpf.TLSFree, rare: true, optional: true},
	},
}}

// libraryOf is the kind of library that a file is by its name, nil for none.
func libraryOf(file string) *library {
	base := path.Base(file)
	for i := range libraries {
		for _, prefix := range libraries[i].files {
			if strings.HasPrefix(base, prefix) {
				return &libraries[i]
			}
		}
	}
	return nil
}

// symbols are the names of a library's functions.
func (l *library) symbols() []string {
	all := make([]string, 0, len(l.functions))
	for i := range l.functions {
		all = append(all, l.functions[i].symbol)
	}
	return all
}

// systemLibraries are where systems keep those that most programs use.
var systemLibraries = []string{
	"/usr/lib/x86_64-linux-gnu/libssl.so.3", "/usr/lib/x86_64-linux-gnu/libgnutls.so.30",
	"/usr/lib/aarch64-linux-gnu/libssl.so.3", "/usr/lib/aarch64-linux-gnu/libgnutls.so.30",
	"/usr/lib64/libssl.so.3", "/usr/lib64/libgnutls.so.30", "/usr/lib/libssl.so.3", "/usr/lib/libgnutls.so.30",
}

// runtimes are programs, by the base names of their executables, that encrypt by
// code of their own which is not followed.
var runtimes = map[string]string{
	"java":     "Java's own TLS",
	"beam.smp": "Erlang's own TLS",
}
