package bpf

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// uringParams is the kernel's struct io_uring_params.
type uringParams struct {
	entries, cqEntries, flags, cpu, idle, features, wq uint32
	_                                                  [3]uint32
	sq                                                 struct {
		head, tail, mask, entries, flags, dropped, array, _ uint32
		_                                                   uint64
	}
	_ [40]byte
}

// Offsets for mmap, and the operation, of io_uring.
const (
	uringSQ        = 0
	uringSQEs      = 0x10000000
	uringSend      = 26
	uringGetEvents = 1
)

// uringSQE is the part of struct io_uring_sqe that a send needs.
type uringSQE struct {
	op, flags uint8
	prio      uint16
	fd        int32
	off, addr uint64
	len       uint32
	_         [36]byte
}

// noURing is the exit status of a helper that may not use io_uring.
const noURing = 77

// talkURing answers through io_uring what it was asked by ordinary calls.
func talkURing() error {
	var p uringParams
	ring, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, uintptr(unsafe.Pointer(&p)), 0)
	if errno != 0 {
		os.Exit(noURing)
	}
	sq, err := unix.Mmap(int(ring), uringSQ, int(p.sq.array+4), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	entries, err := unix.Mmap(int(ring), uringSQEs, int(unsafe.Sizeof(uringSQE{})), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	client, server, err := connection()
	if err != nil {
		return err
	}
	if err := say(client, server, []byte("GET / HTTP/1.1")); err != nil {
		return err
	}
	text := []byte("HTTP/1.1 200 OK")
	*(*uringSQE)(unsafe.Pointer(&entries[0])) = uringSQE{
		op: uringSend, fd: int32(server), addr: uint64(uintptr(unsafe.Pointer(&text[0]))), len: uint32(len(text)),
	}
	*(*uint32)(unsafe.Pointer(&sq[p.sq.array])) = 0
	*(*uint32)(unsafe.Pointer(&sq[p.sq.tail]))++
	if n, _, errno := unix.Syscall6(unix.SYS_IO_URING_ENTER, ring, 1, 1, uringGetEvents, 0, 0); n != 1 {
		return fmt.Errorf("%d submitted: %w", n, errno)
	}
	runtime.KeepAlive(text)
	if _, err := unix.Read(client, make([]byte, 64)); err != nil {
		return err
	}
	return errors.Join(unix.Close(client), unix.Close(server))
}

// TestStrays: what is not followed is told of.
func TestStrays(t *testing.T) {
	requireRoot(t)
	a, err := Load(Options{Requests: true, Signatures: []event.Signature{startsWith(1, "GET ", 64)}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	ways := func(pid int) (s Stray) {
		all, err := a.Strays()
		require.NoError(t, err)
		i := slices.IndexFunc(all, func(s Stray) bool { return s.Process.TGID == uint32(pid) })
		require.GreaterOrEqual(t, i, 0)
		require.NotZero(t, all[i].Process.Start)
		return all[i]
	}
	t.Run("io_uring", func(t *testing.T) {
		cmd := helper(t, "uring")
		err := cmd.Run()
		if cmd.ProcessState.ExitCode() == noURing {
			t.Skip("this kernel has no io_uring for us")
		}
		require.NoError(t, err)
		s := ways(cmd.Process.Pid)
		require.True(t, s.URing)
		require.False(t, s.Compat)
		require.Eventually(t, func() bool {
			s, err := a.RequestStats()
			require.NoError(t, err)
			return s.Unseen == 1
		}, time.Minute, 10*time.Millisecond, "the server's end has sent, by no call that was seen")
	})
	t.Run("32 bits", func(t *testing.T) {
		if runtime.GOARCH != "amd64" {
			t.Skip("int $0x80 is x86's")
		}
		const i386Socket = 359
		pid := runELF(t, elf64(int80([4]uint32{i386Socket, unix.AF_INET, unix.SOCK_STREAM, 0}), nil))
		require.True(t, ways(int(pid)).Compat)
	})
}
