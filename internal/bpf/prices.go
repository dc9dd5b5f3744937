//go:build amd64 || arm64

package bpf

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"
)

// ProbePrices are what a hit of a user space probe with an empty program costs
// on this machine, by the instruction that it is at.
type ProbePrices struct {
	Trampoline    time.Duration // a nop of five bytes, which newer kernels replace by a call
	Emulated      time.Duration // an instruction that the kernel emulates
	SingleStepped time.Duration // any other one
	Return        time.Duration // what coming back through a replaced return address adds
}

// Functions in assembly whose first instruction is of a known class.
func measuredTrampoline()
func measuredEmulated()
func measuredStepped()
func measuredReturn()
func measuredAddresses() (trampoline, emulated, stepped, back uintptr)

// Calls that are timed at a time, and how often; the fastest round counts, for
// the machine may do something else during the others.
const (
	measuredCalls  = 50
	measuredRounds = 20
)

// MeasureProbes probes functions of this program and calls them. It needs the
// rights to load programs, and takes a tenth or two of a second, most of it for the
// kernel to let go of the probes.
func MeasureProbes() (prices ProbePrices, err error) {
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "measured", Type: ebpf.Kprobe, AttachType: probeAttachType(), License: "Dual BSD/GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
	})
	if err != nil {
		return prices, fmt.Errorf("bpf: measuring probes: %w", err)
	}
	defer prog.Close()
	exe, err := link.OpenExecutable("/proc/self/exe")
	if err != nil {
		return prices, fmt.Errorf("bpf: measuring probes: %w", err)
	}
	var probes attachedProbes
	defer func() {
		if closeErr := probes.Close(); closeErr != nil {
			err = errors.Join(err, fmt.Errorf("bpf: measuring probes: %w", closeErr))
		}
	}()
	trampoline, emulated, stepped, back := measuredAddresses()
	for _, m := range []struct {
		call    func()
		address uintptr
		back    bool
		price   *time.Duration
	}{
		{measuredTrampoline, trampoline, false, &prices.Trampoline},
		{measuredEmulated, emulated, false, &prices.Emulated},
		{measuredStepped, stepped, false, &prices.SingleStepped},
		{measuredReturn, back, true, &prices.Return},
	} {
		offset, err := fileOffset(m.address)
		if err != nil {
			return prices, err
		}
		l, err := probePlace{offset: offset, back: m.back}.attach(exe, prog)
		if err != nil {
			return prices, fmt.Errorf("bpf: measuring probes: %w", err)
		}
		probes.links = append(probes.links, l)
		*m.price = timeCalls(m.call)
	}
	prices.Return = max(prices.Return-prices.Emulated, 0)
	return prices, nil
}

// timeCalls returns what a call takes.
func timeCalls(call func()) time.Duration {
	call() // the kernel replaces instructions at the first hit
	best := time.Duration(-1)
	for range measuredRounds {
		start := time.Now()
		for range measuredCalls {
			call()
		}
		if took := time.Since(start) / measuredCalls; best < 0 || took < best {
			best = took
		}
	}
	return best
}

// errNoMapping tells that an address is not this program's.
var errNoMapping = errors.New("bpf: the address belongs to no file")

// fileOffset translates an address of this program's code to its file.
func fileOffset(address uintptr) (uint64, error) {
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return 0, fmt.Errorf("bpf: %w", err)
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var start, end uintptr
		var permissions string
		var offset uint64
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s %x", &start, &end, &permissions, &offset); err != nil {
			continue
		}
		if start <= address && address < end {
			return offset + uint64(address-start), nil
		}
	}
	return 0, errNoMapping
}
