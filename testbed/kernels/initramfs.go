//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// job is what the guest is told to do.
type job struct {
	Env   []string
	Tests []test
}

type test struct {
	Path string // of the binary
	Dir  string // to run it in
	Args []string
}

const jobFile = "/job.json"

// pack builds the tests and the guest's init for the kernel's machine and
// writes an initramfs; the caller removes it.
func pack(ctx context.Context, o *options, k *kernel, image string) (string, error) {
	dir, err := os.MkdirTemp("", "guest")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	var a archive
	initBin := filepath.Join(dir, "init")
	if err := goTool(ctx, k, "build", "-o", initBin, "./testbed/kernels"); err != nil {
		return "", err
	}
	if err := a.carry(initBin, "/init"); err != nil {
		return "", err
	}
	if err := a.carry(filepath.Join(filepath.Dir(image), modulesDir), "/"+modulesDir); err != nil {
		return "", err
	}
	j := job{Env: []string{"SIGHTGLASS_GUEST=" + k.name}}
	for _, pkg := range o.packages {
		t, err := packTest(ctx, &a, o, k, dir, pkg)
		if err != nil {
			return "", err
		}
		j.Tests = append(j.Tests, t)
	}
	b, err := json.Marshal(j)
	if err != nil {
		return "", err
	}
	a.file(jobFile, 0o644, b)
	f, err := os.CreateTemp("", "initramfs")
	if err != nil {
		return "", err
	}
	defer f.Close()
	_, err = f.Write(a.finish())
	return f.Name(), err
}

// packTest builds the test binary of a package and carries it with the
// package's testdata.
func packTest(ctx context.Context, a *archive, o *options, k *kernel, dir, pkg string) (test, error) {
	name := path.Base(pkg)
	bin := filepath.Join(dir, name+".test")
	if err := goTool(ctx, k, "test", "-c", "-o", bin, pkg); err != nil {
		return test{}, err
	}
	t := test{Path: "/test/" + name + ".test", Dir: "/test/" + name}
	t.Args = []string{"-test.v", "-test.timeout=" + o.limit.String()}
	if o.run != "" {
		t.Args = append(t.Args, "-test.run="+o.run)
	}
	a.dir(t.Dir)
	if err := a.carry(bin, t.Path); err != nil {
		return t, err
	}
	return t, a.carry(filepath.Join(pkg, "testdata"), t.Dir+"/testdata")
}

// goTool runs go for the kernel's machine.
func goTool(ctx context.Context, k *kernel, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+k.arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// archive is a cpio archive in the format "newc", which the kernel unpacks as
// its first root file system.
type archive struct {
	b     bytes.Buffer
	inode int
	dirs  map[string]bool
}

// carry puts a file or folder of the host at a path of the guest; what does
// not exist is left out.
func (a *archive) carry(host, guest string) error {
	return filepath.WalkDir(host, func(p string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(host, p)
		if err != nil {
			return err
		}
		at := path.Join(guest, filepath.ToSlash(rel))
		if d.IsDir() {
			a.dir(at)
			return nil
		}
		st, err := os.Stat(p)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		a.file(at, st.Mode().Perm(), b)
		return nil
	})
}

// dir adds a directory and those above it, once.
func (a *archive) dir(p string) {
	if p == "/" || p == "." || a.dirs[p] {
		return
	}
	a.dir(path.Dir(p))
	if a.dirs == nil {
		a.dirs = map[string]bool{}
	}
	a.dirs[p] = true
	a.entry(strings.TrimPrefix(p, "/"), 0o040755, nil)
}

func (a *archive) file(p string, perm fs.FileMode, b []byte) {
	a.dir(path.Dir(p))
	a.entry(strings.TrimPrefix(p, "/"), 0o100000|uint32(perm), b)
}

// entry writes one member: a header of 110 hexadecimal digits and letters, the
// name, the content, each padded to four bytes.
func (a *archive) entry(name string, mode uint32, b []byte) {
	a.inode++
	fmt.Fprintf(&a.b, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		a.inode, mode, 0, 0, 1, 0, len(b), 0, 0, 0, 0, len(name)+1, 0)
	a.b.WriteString(name)
	a.b.WriteByte(0)
	a.pad()
	a.b.Write(b)
	a.pad()
}

func (a *archive) pad() {
	for a.b.Len()%4 != 0 {
		a.b.WriteByte(0)
	}
}

// finish ends the archive.
func (a *archive) finish() []byte {
	a.entry("TRAILER!!!", 0, nil)
	return a.b.Bytes()
}
