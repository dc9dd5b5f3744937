package bpf

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// Hook is a place in the kernel where a program of ours runs, and how that
// stands.
type Hook struct {
	Name     string // as the kernel calls it: "sys_enter", "sched_process_exec", ...
	Attached bool
	Err      error  // why it is not
	Provides string // what the data has because of it
	Remedy   string // what to do about Err; empty when nothing can be done
	// Essential hooks carry the main job; when none of them attaches, Load
	// fails.
	Essential bool
}

// hookSpec is a hook that we want.
type hookSpec struct {
	name      string // of the tracepoint
	program   string // in the object
	plain     string // its variant for kernels without returning atomics; empty when there is one for all
	front     string // what runs before it in direct mode, and hands over what is not for it; empty for nothing
	slot      uint32 // where the front finds it in long_way
	provides  string
	essential bool
	iterator  bool
}

// hookSpecs lists the hooks of the security side, in the order in which they
// are attached: processes before calls, entries before exits, so that no exit
// misses its entry.
var hookSpecs = []hookSpec{
	{name: "sched_process_exec", program: "on_process_exec", provides: "the commands that run", essential: true},
	{name: "sched_process_fork", program: "on_process_fork", provides: "ancestry of processes", essential: true},
	{name: "sched_process_exit", program: "on_process_exit", provides: "the end of processes", essential: true},
	{name: "cgroup_mkdir", program: "on_cgroup_mkdir", provides: "names of containers from their first event on"},
	{name: "cgroup_rmdir", program: "on_cgroup_rmdir", provides: "the end of containers"},
	{name: "sys_enter", program: "on_sys_enter", plain: "on_sys_enter_plain", front: "on_sys_enter_front", slot: longEnter, provides: "arguments as they were when a call began", essential: true},
	{name: "sys_exit", program: "on_sys_exit", plain: "on_sys_exit_plain", front: "on_sys_exit_front", slot: longExit, provides: "file, network and privilege activity", essential: true},
	{name: "iter/task", program: "on_iter_task", provides: "processes that ran before the agent", iterator: true},
}

// Slots of the map long_way, as in bpf/lib/maps.h.
const (
	longEnter = uint32(iota)
	longExit
)

// sysEnter is the position of that hook in hookSpecs.
const sysEnter = 5

// attach attaches the hook's program. The caller closes the link.
func (h *hookSpec) attach(prog *ebpf.Program) (link.Link, error) {
	var l link.Link
	var err error
	if h.iterator {
		l, err = link.AttachIter(link.IterOptions{Program: prog})
	} else {
		l, err = link.AttachRawTracepoint(link.RawTracepointOptions{Name: h.name, Program: prog})
	}
	if err != nil {
		return nil, fmt.Errorf("attaching: %w", err)
	}
	return l, nil
}
