package encryption

import (
	"crypto/sha256"
	"io"
	"os"

	"github.com/sightglass/sightglass/internal/bpf"
)

// Bounds of what is remembered of the content of files.
const (
	maxCopied = 4 << 20 // bytes of a file; libraries are shorter, programs seldom have copies
	maxPlaced = 64
)

// copied is what is in a file, taken for a kind of library.
type copied struct {
	library string
	sum     [sha256.Size]byte
}

// placed is what library.probes has found in a content.
type placed struct {
	probes  []bpf.TLSProbe // not to be written to
	missing error
}

// places is library.probes, which follows the code of a file and takes a tenth of a second
// and more on a busy machine. Containers have copies of the same libraries: these are known
// by what is in them, which takes a hundredth of that.
func (f *Finder) places(file *os.File, l *library) ([]bpf.TLSProbe, error, error) {
	key, ok := contentOf(file, l)
	if !ok {
		return l.probes(file, f.cfg.Kernel, &f.cfg.Prices)
	}
	if known, ok := f.placed[key]; ok {
		return known.probes, known.missing, nil
	}
	probes, missing, err := l.probes(file, f.cfg.Kernel, &f.cfg.Prices)
	if err == nil {
		if len(f.placed) >= maxPlaced {
			clear(f.placed)
		}
		f.placed[key] = placed{probes: probes, missing: missing}
	}
	return probes, missing, err
}

// contentOf reads what is in a file; false when that is too much, or cannot be read.
func contentOf(file *os.File, l *library) (key copied, ok bool) {
	info, err := file.Stat()
	if err != nil || info.Size() > maxCopied {
		return key, false
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(file, 0, info.Size())); err != nil {
		return key, false
	}
	key.library = l.name
	sum.Sum(key.sum[:0])
	return key, true
}
