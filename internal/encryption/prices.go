package encryption

import (
	"time"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/probesite"
)

// assumed is what probes cost where it cannot be measured: on a virtual machine,
// where what is single-stepped is dear.
var assumed = bpf.ProbePrices{
	Trampoline: 300 * time.Nanosecond, Emulated: 600 * time.Nanosecond, SingleStepped: 20 * time.Microsecond, Return: time.Microsecond,
}

// Calibrate measures what the running kernel asks for probes; err says why it
// cannot be measured, and prices are assumed then. It takes a tenth or two of
// a second.
func Calibrate() (kernel probesite.Kernel, prices Prices, err error) {
	measured, err := bpf.MeasureProbes()
	if err != nil {
		measured = assumed
	}
	kernel, prices = pricesOf(measured)
	kernel.Cookies = bpf.HaveProbeCookies()
	return kernel, prices, err
}

// pricesOf puts prices in classes. A kernel that replaces nops by calls asks
// clearly less for them than for what it emulates.
func pricesOf(m bpf.ProbePrices) (probesite.Kernel, Prices) {
	kernel := probesite.Kernel{Trampolines: m.Trampoline < m.Emulated*4/5}
	of := func(c probesite.Cost) time.Duration {
		switch c {
		case probesite.Trampoline:
			return m.Trampoline
		case probesite.Emulated:
			return m.Emulated
		default:
			return m.SingleStepped
		}
	}
	return kernel, Prices{Of: of, Return: m.Return}
}
