//go:build linux

package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// kernel is one of Debian's.
type kernel struct {
	name    string
	arch    string // of Debian and of Go: amd64 or arm64
	suite   string
	pattern string // of the package's name; the newest that matches is taken
	extra   bool   // only when named
}

// all are the known kernels. The cloud images boot fastest and have BTF.
var all = []*kernel{
	{name: "5.10", arch: "amd64", suite: "bullseye", pattern: `linux-image-5\.10\..*-cloud-amd64`},
	{name: "6.1", arch: "amd64", suite: "bookworm", pattern: `linux-image-6\.1\..*-cloud-amd64`},
	{name: "6.12", arch: "amd64", suite: "bookworm", pattern: `linux-image-6\.12\..*-cloud-amd64`},
	{name: "6.12-arm64", arch: "arm64", suite: "trixie", pattern: `linux-image-6\.12\..*-cloud-arm64`},
	{name: "6.18", arch: "amd64", suite: "trixie-backports", pattern: `linux-image-6\.18\..*-cloud-amd64`, extra: true},
}

// defaults are the kernels of the matrix.
func defaults() []*kernel {
	var list []*kernel
	for _, k := range all {
		if !k.extra {
			list = append(list, k)
		}
	}
	return list
}

func names(list []*kernel) []string {
	var s []string
	for _, k := range list {
		s = append(s, k.name)
	}
	return s
}

// choose finds kernels by name; none named means the matrix.
func choose(wanted []string) ([]*kernel, error) {
	if len(wanted) == 0 {
		return defaults(), nil
	}
	var list []*kernel
next:
	for _, name := range wanted {
		for _, k := range all {
			if k.name == name {
				list = append(list, k)
				continue next
			}
		}
		return nil, fmt.Errorf("unknown kernel %q; there are %s", name, strings.Join(names(all), " "))
	}
	return list, nil
}

// need checks that a command is there and says which package has it.
func need(command, pkg string) error {
	if _, err := exec.LookPath(command); err != nil {
		return fmt.Errorf("%s is missing: install the Debian package %s", command, pkg)
	}
	return nil
}

// fetch returns the path of the kernel's image, downloading it when it or the
// modules beside it are not in the cache. Nothing is installed, and the system's package lists stay as
// they are: only the mirror's address is taken from them.
func (k *kernel) fetch(ctx context.Context, cache string) (string, error) {
	image := filepath.Join(cache, k.name, "vmlinuz")
	kept := filepath.Join(filepath.Dir(image), modulesDir)
	_, err := os.Stat(image)
	if _, missing := os.Stat(kept); errors.Join(err, missing) == nil {
		return image, nil
	}
	for _, c := range [][2]string{{"apt-get", "apt"}, {"apt-cache", "apt"}, {"dpkg-deb", "dpkg"}} {
		if err := need(c[0], c[1]); err != nil {
			return "", err
		}
	}
	fmt.Fprintf(os.Stderr, "%s: fetching the kernel\n", k.name)
	index, err := k.index(ctx, cache)
	if err != nil {
		return "", err
	}
	pkg, err := index.newest(ctx, k.pattern)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "kernel")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if err := index.run(ctx, dir, nil, "apt-get", "download", pkg); err != nil {
		return "", err
	}
	if err := os.MkdirAll(kept, 0o755); err != nil {
		return "", err
	}
	return image, unpackPackage(ctx, dir, image)
}

// aptIndex is a package index of our own.
type aptIndex struct{ flags []string }

// index downloads the index of the kernel's suite.
func (k *kernel) index(ctx context.Context, cache string) (*aptIndex, error) {
	main, security, err := mirrors(ctx)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, ".apt", k.suite+"-"+k.arch)
	for _, d := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, err
		}
	}
	keys, err := filepath.Glob("/usr/share/keyrings/debian-archive-keyring.*")
	if err != nil || len(keys) == 0 {
		return nil, errors.New("the Debian package debian-archive-keyring is missing")
	}
	sources := fmt.Sprintf("deb [signed-by=%s] %s %s main\n", keys[0], main, k.suite)
	if security != "" && !strings.Contains(k.suite, "backports") {
		sources += fmt.Sprintf("deb [signed-by=%s] %s %s-security main\n", keys[0], security, k.suite)
	}
	list := filepath.Join(dir, "sources.list")
	if err := os.WriteFile(list, []byte(sources), 0o644); err != nil {
		return nil, err
	}
	x := &aptIndex{flags: []string{
		"-qq", "-oAPT::Architecture=" + k.arch, "-oAPT::Architectures=" + k.arch, "-oAcquire::Languages=none",
		"-oDir::Etc::SourceList=" + list, "-oDir::Etc::SourceParts=/nonexistent", "-oAPT::Sandbox::User=",
		"-oDir::State::Lists=" + filepath.Join(dir, "lists"), "-oDir::Cache=" + filepath.Join(dir, "cache"),
	}}
	return x, x.run(ctx, dir, nil, "apt-get", "update")
}

// run calls an apt command on the index.
func (x *aptIndex) run(ctx context.Context, dir string, out io.Writer, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, append(slices.Clip(x.flags), args...)...)
	var stderr strings.Builder
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return nil
}

// newest is the matching package of the highest version.
func (x *aptIndex) newest(ctx context.Context, pattern string) (string, error) {
	var out strings.Builder
	if err := x.run(ctx, "", &out, "apt-cache", "pkgnames", "linux-image-"); err != nil {
		return "", err
	}
	re := regexp.MustCompile("^" + pattern + "$")
	best := ""
	for name := range strings.Lines(out.String()) {
		name = strings.TrimSpace(name)
		if re.MatchString(name) && (best == "" || newer(name, best)) {
			best = name
		}
	}
	if best == "" {
		return "", fmt.Errorf("no package matches %s", pattern)
	}
	return best, nil
}

var number = regexp.MustCompile(`\d+`)

// newer compares two package names by the numbers in them.
func newer(a, b string) bool {
	x, y := number.FindAllString(a, -1), number.FindAllString(b, -1)
	for i := 0; i < len(x) && i < len(y); i++ {
		if len(x[i]) != len(y[i]) {
			return len(x[i]) > len(y[i])
		}
		if x[i] != y[i] {
			return x[i] > y[i]
		}
	}
	return len(x) > len(y)
}

// mirrors are the addresses that the system's package lists use.
func mirrors(ctx context.Context) (main, security string, err error) {
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets", "--format", "$(LABEL) $(REPO_URI)").Output()
	if err != nil {
		return "", "", fmt.Errorf("apt-get indextargets: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		label, uri, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case label == "Debian" && main == "":
			main = uri
		case label == "Debian-Security" && security == "":
			security = uri
		}
	}
	if main == "" {
		return "", "", errors.New("apt knows no Debian mirror; run apt-get update as root")
	}
	return main, security, nil
}

// unpackPackage writes the kernel image of the package in dir, and its modules.
func unpackPackage(ctx context.Context, dir, image string) error {
	debs, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(debs) != 1 {
		return fmt.Errorf("%d packages were downloaded", len(debs))
	}
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", debs[0])
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = findFiles(tar.NewReader(out), image)
	_, _ = io.Copy(io.Discard, out)
	return errors.Join(err, cmd.Wait())
}

// findFiles goes through a package.
func findFiles(r *tar.Reader, image string) error {
	found := false
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) && found {
			// renamed into place, so that an interrupted run leaves no half image
			return os.Rename(image+".new", image)
		}
		if err != nil {
			return fmt.Errorf("no kernel image in the package: %w", err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if module, is := moduleOf(h.Name); is {
			if err := keepModule(filepath.Join(filepath.Dir(image), modulesDir), module, h.Name, r); err != nil {
				return err
			}
			continue
		}
		if !strings.HasPrefix(filepath.Base(h.Name), "vmlinuz-") {
			continue
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if err := os.WriteFile(image+".new", b, 0o644); err != nil {
			return err
		}
		found = true
	}
}
