package main

import (
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

var fileVerbs = map[string]verb{
	"read":     simple(func(_ *actor, args []string) error { return open(args[0], unix.O_RDONLY) }),
	"try-read": simple(func(_ *actor, args []string) error { _ = open(args[0], unix.O_RDONLY); return nil }),
	"list":     simple(func(_ *actor, args []string) error { return open(args[0], unix.O_RDONLY|unix.O_DIRECTORY) }),
	"rewrite":  simple(rewrite),
	"write":    simple(func(_ *actor, args []string) error { return open(args[0], unix.O_WRONLY) }),
	"truncate": simple(func(_ *actor, args []string) error { return open(args[0], unix.O_WRONLY|unix.O_TRUNC) }),
	"append":   simple(func(_ *actor, args []string) error { return open(args[0], unix.O_WRONLY|unix.O_APPEND|unix.O_CREAT) }),
	"create":   simple(create),
	"creat":    simple(creat),
	"mkdir":    simple(func(_ *actor, args []string) error { return os.MkdirAll(args[0], 0o755) }),
	"remove":   simple(func(_ *actor, args []string) error { return unix.Unlink(args[0]) }),
	"rename":   simple(func(_ *actor, args []string) error { return unix.Rename(args[0], args[1]) }),
	"link":     simple(func(_ *actor, args []string) error { return unix.Link(args[0], args[1]) }),
	"symlink":  simple(func(_ *actor, args []string) error { return unix.Symlink(args[0], args[1]) }),
	"chmod":    simple(chmod),
	"fchmod":   simple(fchmod),
	"mount":    simple(mount),
	"umount":   simple(func(_ *actor, args []string) error { return unix.Unmount(args[0], unix.MNT_DETACH) }),
	"copy":     simple(copyFile),
	"script":   simple(func(_ *actor, args []string) error { return os.WriteFile(args[0], []byte("#!/bin/sh\n:\n"), 0o755) }),
	"device":   simple(device),
	"handle":   simple(handle),
	"cut":      simple(func(_ *actor, args []string) error { return unix.Truncate(args[0], 0) }),
	"chown":    simple(func(_ *actor, args []string) error { return unix.Chown(args[0], nobody, nobody) }),
	"capable":  simple(capable),
}

// nobody is a user without rights.
const nobody = 65534

// capable PATH: gives the file a capability, as setcap does. Version 2, effective:
// CAP_NET_BIND_SERVICE.
func capable(_ *actor, args []string) error {
	value := []byte{1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	return unix.Setxattr(args[0], "security.capability", value, 0)
}

func open(name string, flags int) error {
	fd, err := unix.Open(name, flags|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// create PATH: an empty file, with the folders that it lies in.
func create(_ *actor, args []string) error {
	if err := os.MkdirAll(filepath.Dir(args[0]), 0o755); err != nil {
		return err
	}
	return open(args[0], unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC)
}

// rewrite PATH: opens the file for writing by the name of its descriptor.
func rewrite(_ *actor, args []string) error {
	fd, err := unix.Open(args[0], unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return open("/proc/self/fd/"+strconv.Itoa(fd), unix.O_WRONLY)
}

func creat(_ *actor, args []string) error {
	fd, err := unix.Creat(args[0], 0o644)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// chmod MODE PATH, the mode in octal.
func chmod(_ *actor, args []string) error {
	mode, err := strconv.ParseUint(args[0], 8, 32)
	if err != nil {
		return err
	}
	return unix.Chmod(args[1], uint32(mode))
}

func fchmod(_ *actor, args []string) error {
	mode, err := strconv.ParseUint(args[0], 8, 32)
	if err != nil {
		return err
	}
	fd, err := unix.Open(args[1], unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return unix.Fchmod(fd, uint32(mode))
}

// mount TYPE SOURCE TARGET; the type "bind" is no file system.
func mount(_ *actor, args []string) error {
	if args[0] == "bind" {
		return unix.Mount(args[1], args[2], "", unix.MS_BIND, "")
	}
	return unix.Mount(args[1], args[2], args[0], 0, "")
}

// copy FROM TO: an executable file with that content.
func copyFile(_ *actor, args []string) error {
	content, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(args[1]), 0o755); err != nil {
		return err
	}
	return os.WriteFile(args[1], content, 0o755)
}

// device MAJOR MINOR PATH: a block device.
func device(_ *actor, args []string) error {
	major, err := number(args[0])
	if err != nil {
		return err
	}
	minor, err := number(args[1])
	if err != nil {
		return err
	}
	return unix.Mknod(args[2], unix.S_IFBLK|0o600, int(unix.Mkdev(uint32(major), uint32(minor))))
}

// handle PATH: opens the file by its handle.
func handle(_ *actor, args []string) error {
	h, _, err := unix.NameToHandleAt(unix.AT_FDCWD, args[0], 0)
	if err != nil {
		return err
	}
	dir, err := unix.Open(filepath.Dir(args[0]), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(dir) }()
	fd, err := unix.OpenByHandleAt(dir, h, unix.O_RDONLY|unix.O_CLOEXEC)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}
