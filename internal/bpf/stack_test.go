package bpf

import (
	"fmt"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What check_max_stack_depth in the kernel's verifier holds programs to. Kernels
// from 6.9 on round to 16 bytes, and do not count what is never reached.
const (
	maxStack   = 512
	stackFrame = 32 // a frame is rounded up to
)

// TestStackFits follows the deepest chain of calls in each program: the kernel that
// runs the other tests may have more room than one of the users'.
func TestStackFits(t *testing.T) {
	for name, load := range map[string]func() (*ebpf.CollectionSpec, error){
		"security": loadSecurity, "requests": loadRequests, "tls": loadTls,
	} {
		spec, err := load()
		require.NoError(t, err)
		for program, p := range spec.Programs {
			functions := functionsOf(p.Instructions)
			entry := functions[p.Instructions[0].Symbol()]
			require.NotNil(t, entry, "%s: %s", name, program)
			depth, chain := deepest(functions, p.Instructions[0].Symbol())
			assert.LessOrEqual(t, depth, maxStack, "%s: %s: %v", name, program, chain)
		}
	}
}

// function is what a function needs.
type function struct {
	stack int // bytes
	calls map[string]bool
}

func functionsOf(instructions asm.Instructions) map[string]*function {
	all := make(map[string]*function)
	var f *function
	pointers := make(map[asm.Register]bool) // registers that hold the frame's end
	for _, ins := range instructions {
		if name := ins.Symbol(); name != "" {
			f = &function{calls: make(map[string]bool)}
			all[name] = f
			clear(pointers)
		}
		op := ins.OpCode
		switch class := op.Class(); {
		case ins.IsFunctionCall():
			f.calls[ins.Reference()] = true
		case class.IsLoad() && ins.Src == asm.RFP, class.IsStore() && ins.Dst == asm.RFP:
			f.stack = max(f.stack, -int(ins.Offset))
		case class == asm.ALU64Class && op.ALUOp() == asm.Mov:
			pointers[ins.Dst] = op.Source() == asm.RegSource && ins.Src == asm.RFP
		case class == asm.ALU64Class && op.ALUOp() == asm.Add && pointers[ins.Dst]:
			f.stack = max(f.stack, -int(ins.Constant))
			pointers[ins.Dst] = false
		}
	}
	return all
}

// deepest is how many bytes the chain of calls needs that needs most, and its functions
// with the sizes of their frames.
func deepest(functions map[string]*function, name string) (depth int, chain []string) {
	f := functions[name]
	for called := range f.calls {
		if d, c := deepest(functions, called); d > depth {
			depth, chain = d, c
		}
	}
	frame := (max(f.stack, 1) + stackFrame - 1) / stackFrame * stackFrame
	return depth + frame, append([]string{fmt.Sprint(name, " ", f.stack)}, chain...)
}
