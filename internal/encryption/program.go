package encryption

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/probesite"
)

// maxPrograms bounds the programs that are known to have no library in them.
const maxPrograms = 4096

// Libraries that are part of a program's executable.
var (
	golang = library{name: "Go crypto/tls", find: goProbes}
	// Their functions are those of the shared library; what its makers left out
	// is optional.
	staticOpenSSL = library{name: "OpenSSL in the program", functions: libraries[0].functions, places: openSSLPlaces}
	boringSSL     = library{name: "BoringSSL in the program", functions: libraries[0].functions}
	// Its makers left the names out. Where sessions end is not found, so it is
	// noticed where the next one is made at the same address.
	namelessBoringSSL = library{name: boringSSL.name, locate: (*probesite.File).BoringSSL, functions: []function{
		{symbol: "SSL_read", parameters: 3, enter: bpf.TLSRead, leave: bpf.TLSReadReturn},
		{symbol: "SSL_write", parameters: 3, enter: bpf.TLSWrite},
		{symbol: "SSL_do_handshake", parameters: 1, enter: bpf.TLSHandshake, leave: bpf.TLSHandshakeReturn, rare: true, optional: true},
		{symbol: "SSL_new", leave: bpf.TLSNewReturn, rare: true, optional: true},
	}}
)

// Names by which a library is recognised in a program that has names.
const (
	nameRead   = "SSL_read"
	nameWrite  = "SSL_write"
	nameBoring = "SSL_CTX_set_grease_enabled" // BoringSSL has it, OpenSSL does not
)

// recognise tells what a program has in it that encrypts, nil for nothing that
// is known.
func recognise(content io.ReaderAt, kernel probesite.Kernel) *library {
	elf, err := probesite.Open(content)
	if err != nil {
		return nil
	}
	if elf.IsGo() {
		if _, err := elf.GoTLS(kernel); !errors.Is(err, probesite.ErrNoFunction) {
			return &golang
		}
	}
	found, _ := elf.Functions(nameRead, nameWrite, nameBoring) // none is a finding too
	_, reads := found[nameRead]
	_, writes := found[nameWrite]
	_, boring := found[nameBoring]
	switch {
	case reads && writes && boring:
		return &boringSSL
	case reads && writes:
		return &staticOpenSSL
	case elf.HasBoringSSL():
		return &namelessBoringSSL
	default:
		return nil
	}
}

// goProbes are those of a Go program.
func goProbes(elf *probesite.File, kernel probesite.Kernel, prices *Prices) ([]bpf.TLSProbe, error) {
	places, err := elf.GoTLS(kernel)
	if err != nil {
		return nil, err
	}
	if err := prices.pay(places.Read, prices.Most); err != nil {
		return nil, err
	}
	if err := prices.pay(places.Write, prices.Most); err != nil {
		return nil, err
	}
	return []bpf.TLSProbe{
		{Program: bpf.TLSGoRead, Offset: places.Read.Offset}, {Program: bpf.TLSGoWrite, Offset: places.Write.Offset},
	}, nil
}

// program returns what is known of the program that a process runs, nil when
// nothing in it encrypts. It is looked at as soon as it starts: unlike libraries,
// it is there at once.
func (f *Finder) program(pid uint32) *file {
	at := filepath.Join(f.cfg.Proc, strconv.FormatUint(uint64(pid), 10), "exe")
	id, v, err := identify(at)
	if err != nil {
		return nil
	}
	if known := f.files[id]; known != nil && known.stands(v, time.Now()) {
		known.used = time.Now() // as long as it is started again and again
		return known
	}
	if without, ok := f.without[id]; ok && without == v {
		return nil
	}
	content, err := os.Open(at)
	if err != nil {
		return nil
	}
	defer content.Close()
	l := recognise(content, f.cfg.Kernel)
	if l == nil {
		if len(f.without) >= maxPrograms {
			clear(f.without)
		}
		f.without[id] = v
		return nil
	}
	path, err := os.Readlink(at)
	if err != nil {
		return nil
	}
	known, err := f.know(at, path, l)
	if err != nil {
		return nil
	}
	return known
}
