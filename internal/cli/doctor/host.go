package doctor

import (
	"io/fs"
	"strings"
)

// Host is the machine that is examined.
type Host struct {
	Root    fs.FS  // of its file system, as this process sees it
	Release string // of the kernel: 6.12.0-1-amd64
	Arch    string // by Go's name: amd64
}

// read returns a file without the space around it, and whether it is there.
func (h Host) read(path string) (string, bool) {
	content, err := fs.ReadFile(h.Root, path)
	return strings.TrimSpace(string(content)), err == nil
}

func (h Host) exists(path string) bool {
	_, err := fs.Stat(h.Root, path)
	return err == nil
}

// Examine looks at everything that can be read without privileges.
func Examine(h Host) []Check {
	checks := []Check{h.kernel(), h.btf(), h.capabilities()}
	if c, visible := h.lockdown(); visible {
		checks = append(checks, c)
	}
	return append(checks, h.pidNamespace(), h.cgroups(), h.jit(), h.ioUring())
}
