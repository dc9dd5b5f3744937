package bpf

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
)

// ErrLatencyOff means that Options.Latency was not set.
var ErrLatencyOff = errors.New("bpf: latency histograms are off")

// LatencyBuckets is the number of buckets of a histogram; bucket n counts the
// calls of 2^n to 2^(n+1) ns, the last one all longer ones.
const LatencyBuckets = 40

// Latency is the histogram of one call in one control group.
type Latency struct {
	CgroupID  uint64
	Hierarchy uint32 // as in event.Task
	Number    uint32 // of the call, native
	Compat    bool   // Number is of the 32-bit call
	Count     uint64
	Sum       uint64 // ns
	Buckets   [LatencyBuckets]uint64
}

// Latencies hands every histogram to handle. The counts are cumulative since
// Load, except that the least used groups and calls give way when there are
// more than 4096 pairs.
func (a *Agent) Latencies(handle func(*Latency)) error {
	if !a.opts.Latency {
		return ErrLatencyOff
	}
	if !a.readers.enter() {
		return os.ErrClosed
	}
	defer a.readers.leave()
	var (
		key    securityLatencyKey
		values []securityLatencyValue
		it     = a.maps["latency"].Iterate()
	)
	for it.Next(&key, &values) {
		l := Latency{
			CgroupID: key.CgroupId, Hierarchy: key.Hierarchy,
			Number: key.Nr &^ (1 << 31), Compat: key.Nr>>31 != 0,
		}
		for i := range values {
			l.Sum += values[i].Sum
			for b, n := range values[i].Buckets {
				l.Buckets[b] += n
				l.Count += n
			}
		}
		handle(&l)
	}
	if err := it.Err(); err != nil && !errors.Is(err, ebpf.ErrIterationAborted) {
		return fmt.Errorf("bpf: reading latencies: %w", err)
	}
	return nil
}
