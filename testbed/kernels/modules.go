//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// modules are those of Debian's kernels that tests need, each behind those that it
// needs itself: kernel TLS and its cipher. What a kernel has built in it has no
// module of.
var modules = []string{"gf128mul", "ctr", "ghash-generic", "crypto_null", "gcm", "tls"}

// modulesDir has them, in the cache beside the image and in the guest.
const modulesDir = "modules"

const moduleSuffix = ".ko"

// moduleOf is the module that a file of a kernel's package is, if it is needed.
func moduleOf(name string) (module string, is bool) {
	base := strings.TrimSuffix(path.Base(name), ".xz")
	for _, m := range modules {
		if base == m+moduleSuffix && strings.Contains(name, "lib/modules/") {
			return m, true
		}
	}
	return "", false
}

// keepModule writes a module of a package to a folder.
func keepModule(dir, module, name string, r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if strings.HasSuffix(name, ".xz") {
		if err := need("xz", "xz-utils"); err != nil {
			return err
		}
		cmd := exec.Command("xz", "-dc")
		cmd.Stdin = bytes.NewReader(content)
		if content, err = cmd.Output(); err != nil {
			return fmt.Errorf("unpacking %s: %w", name, err)
		}
	}
	return os.WriteFile(filepath.Join(dir, module+moduleSuffix), content, 0o644)
}

// loadModules gives the guest's kernel its modules.
func loadModules(dir string) error {
	var errs []error
	for _, m := range modules {
		image, err := os.ReadFile(filepath.Join(dir, m+moduleSuffix))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = unix.InitModule(image, "")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("module %s: %w", m, err))
		}
	}
	return errors.Join(errs...)
}
