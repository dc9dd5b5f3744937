package bpf

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// births assembles: fork, vfork, and an exit; each child exits at once.
func births() []byte {
	var code []byte
	for _, nr := range []byte{unix.SYS_FORK, unix.SYS_VFORK} {
		code = append(code,
			0xb8, nr, 0, 0, 0, // mov $nr, %eax
			0x0f, 0x05, // syscall
			0x85, 0xc0, // test %eax, %eax
			0x75, 0x09, // jnz behind the exit
			0xb8, unix.SYS_EXIT, 0, 0, 0, // mov $exit, %eax
			0x31, 0xff, // xor %edi, %edi
			0x0f, 0x05, // syscall
		)
	}
	return append(code, 0xb8, unix.SYS_EXIT, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05)
}

// TestBirths: a call that makes a process ends twice, in the parent with the
// child's id and in the child with 0. Only x86 has these calls, and only there the
// child tells.
func TestBirths(t *testing.T) {
	eachMode(t, []string{"fork", "vfork"}, func(t *testing.T, a *Agent) {
		pid := runELF(t, elf64(births(), nil))
		ends := map[string]map[uint32]int64{"fork": {}, "vfork": {}} // by process, of the whole machine
		complete := func(name string) bool {
			child := ends[name][pid]
			ret, ok := ends[name][uint32(child)]
			return child > 0 && ok && ret == 0
		}
		await(t, a, "both calls in both processes", func(ev *event.Event) bool {
			if ev.Type == event.TypeSyscall && ends[ev.Syscall.Name()] != nil {
				ends[ev.Syscall.Name()][ev.Key.TGID] = ev.Syscall.Return
			}
			return complete("fork") && complete("vfork")
		})
	})
}
