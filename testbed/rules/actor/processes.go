package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

var processVerbs = map[string]verb{
	"setns":       simple(setns),
	"unshare":     simple(unshare),
	"setuid":      simple(setuid),
	"setresuid":   simple(setresuid),
	"poke":        simple(poke),
	"trace":       simple(trace),
	"traceme":     simple(traceme),
	"module":      simple(module),
	"bpf":         simple(bpf),
	"memfd":       memfd,
	"userfaultfd": simple(userfaultfd),
}

func number(text string) (int, error) { return strconv.Atoi(text) }

// setns PATH: enters the namespace of a file, which may be refused.
func setns(_ *actor, args []string) error {
	fd, err := unix.Open(args[0], unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return allowRefusal(unix.Setns(fd, 0))
}

var namespaces = map[string]int{
	"mount": unix.CLONE_NEWNS, "user": unix.CLONE_NEWUSER, "net": unix.CLONE_NEWNET, "uts": unix.CLONE_NEWUTS,
}

// unshare NAMESPACE...: new ones for this thread, which may be refused.
func unshare(_ *actor, args []string) error {
	flags := 0
	for _, name := range args {
		flags |= namespaces[name]
	}
	return allowRefusal(unix.Unshare(flags))
}

// allowRefusal: rules that describe an attempt do not ask how it ended.
func allowRefusal(err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EACCES) {
		return nil
	}
	return err
}

// setuid NUMBER by that very call, in this thread alone.
func setuid(_ *actor, args []string) error {
	id, err := number(args[0])
	if err != nil {
		return err
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETUID, uintptr(id), 0, 0); errno != 0 {
		return allowRefusal(errno)
	}
	return nil
}

// setresuid NUMBER likewise.
func setresuid(_ *actor, args []string) error {
	id, err := number(args[0])
	if err != nil {
		return err
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(id), uintptr(id), uintptr(id)); errno != 0 {
		return errno
	}
	return nil
}

// poke: writes into the memory of its parent, what is there already.
func poke(*actor, []string) error {
	var word [8]byte
	local := []unix.Iovec{{Base: &word[0], Len: uint64(len(word))}}
	remote := []unix.RemoteIovec{{Base: uintptr(unsafe.Pointer(&scratch[0])), Len: len(word)}}
	if _, err := unix.ProcessVMReadv(os.Getppid(), local, remote, 0); err != nil {
		return err
	}
	_, err := unix.ProcessVMWritev(os.Getppid(), local, remote, 0)
	return err
}

// scratch lies at the same place in every process of this program.
var scratch [8]byte

// trace: attaches to a child and lets it go.
func trace(*actor, []string) error {
	child := exec.Command("/proc/self/exe")
	child.Env = []string{scriptEnv + `=[["pause","10s"]]`}
	if err := child.Start(); err != nil {
		return err
	}
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}()
	if err := unix.PtraceAttach(child.Process.Pid); err != nil {
		return err
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(child.Process.Pid, &status, 0, nil); err != nil {
		return err
	}
	return unix.PtraceDetach(child.Process.Pid)
}

// traceme: lets its parent trace it, as programs do that dislike debuggers.
func traceme(*actor, []string) error {
	if _, _, errno := unix.Syscall(unix.SYS_PTRACE, unix.PTRACE_TRACEME, 0, 0); errno != 0 {
		return errno
	}
	os.Exit(0) // at once: a signal would stop this thread until the parent lets it go on
	return nil
}

// module: asks the kernel to load what is no module.
func module(*actor, []string) error {
	image := []byte("no module")
	_, _, errno := unix.Syscall(unix.SYS_INIT_MODULE, uintptr(unsafe.Pointer(&image[0])), uintptr(len(image)), uintptr(unsafe.Pointer(&[]byte{0}[0])))
	if errno == 0 {
		return errors.New("the kernel loaded it")
	}
	return nil
}

// bpf: loads the program "return 0".
func bpf(*actor, []string) error {
	instructions := []uint64{0xb7, 0x95} // r0 = 0; exit
	license := []byte("GPL\x00")
	attr := struct {
		kind, count           uint32
		instructions, license uint64
		rest                  [8]uint64
	}{1, 2, uint64(uintptr(unsafe.Pointer(&instructions[0]))), uint64(uintptr(unsafe.Pointer(&license[0]))), [8]uint64{}}
	fd, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_LOAD, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	runtime.KeepAlive(instructions)
	runtime.KeepAlive(license)
	if errno != 0 {
		return allowRefusal(errno)
	}
	return unix.Close(int(fd))
}

// memfd NAME: the rest is done by a copy of this program that has no file.
func memfd(a *actor, args []string, rest []step) ([]step, error) {
	fd, err := unix.MemfdCreate(args[0], unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), args[0])
	defer func() { _ = file.Close() }()
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	if _, err := file.Write(self); err != nil {
		return nil, err
	}
	cmd, err := player(args[0], nil, rest)
	if err != nil {
		return nil, err
	}
	cmd.Path = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd)
	return nil, a.wait(cmd)
}

// userfaultfd for its own faults only, which every user may.
func userfaultfd(*actor, []string) error {
	const userModeOnly = 1
	fd, _, errno := unix.Syscall(unix.SYS_USERFAULTFD, unix.O_CLOEXEC|userModeOnly, 0, 0)
	if errno != 0 {
		return allowRefusal(errno)
	}
	return unix.Close(int(fd))
}
