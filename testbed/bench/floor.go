package main

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// empty is "r0 = 0; exit", the shortest program there is.
var empty = [...]uint64{0x00000000000000b7, 0x0000000000000095}

// emptyPrograms attaches an empty program to each of the two raw tracepoints
// that see every system call: what the kernel charges for having anybody there,
// and thus the least that any agent of this kind can cost. The returned
// function detaches them.
func emptyPrograms() (detach func(), err error) {
	var fds []int
	detach = func() {
		for _, fd := range fds {
			_ = unix.Close(fd)
		}
	}
	for _, point := range []string{"sys_enter", "sys_exit"} {
		program, err := loadEmpty()
		if err != nil {
			detach()
			return nil, err
		}
		fds = append(fds, program)
		link, err := attach(program, point)
		if err != nil {
			detach()
			return nil, err
		}
		fds = append(fds, link)
	}
	return detach, nil
}

// loadEmpty is BPF_PROG_LOAD of bpf(2).
func loadEmpty() (int, error) {
	license := []byte("Dual BSD/GPL\x00")
	attr := struct {
		kind, count    uint32
		insns, license uint64
		_              [96]byte
	}{
		kind: unix.BPF_PROG_TYPE_RAW_TRACEPOINT, count: uint32(len(empty)),
		insns:   uint64(uintptr(unsafe.Pointer(&empty[0]))),
		license: uint64(uintptr(unsafe.Pointer(&license[0]))),
	}
	fd, err := bpf(unix.BPF_PROG_LOAD, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	runtime.KeepAlive(license)
	return fd, err
}

// attach is BPF_RAW_TRACEPOINT_OPEN of bpf(2).
func attach(program int, point string) (int, error) {
	name, err := unix.BytePtrFromString(point)
	if err != nil {
		return -1, err
	}
	attr := struct {
		name    uint64
		program uint32
		_       uint32
	}{name: uint64(uintptr(unsafe.Pointer(name))), program: uint32(program)}
	fd, err := bpf(unix.BPF_RAW_TRACEPOINT_OPEN, unsafe.Pointer(&attr), unsafe.Sizeof(attr))
	runtime.KeepAlive(name)
	return fd, err
}

func bpf(command uintptr, attr unsafe.Pointer, size uintptr) (int, error) {
	fd, _, errno := unix.Syscall(unix.SYS_BPF, command, uintptr(attr), size)
	for range 10 { // the verifier gives way to signals, which Go's scheduler sends
		if errno != unix.EAGAIN {
			break
		}
		fd, _, errno = unix.Syscall(unix.SYS_BPF, command, uintptr(attr), size)
	}
	if !errors.Is(errno, unix.Errno(0)) {
		return -1, fmt.Errorf("bpf(%d): %w", command, errno)
	}
	return int(fd), nil
}
