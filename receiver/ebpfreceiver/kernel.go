//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"io"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/interest"
)

// kernel is what the receiver needs of the kernel side. *bpf.Agent has it but
// for the types of the sources; tests inject recorded events.
type kernel interface {
	Seed(handle func(raw []byte)) error
	SetInterest(set interest.Set) (unknown []string, err error)
	SetExecEnvironment(on bool) error
	SetKnownFiles(files, directories []uint64) error
	Hooks() []bpf.Hook
	Degradations() []bpf.Degradation
	Stats() (bpf.Stats, error)
	RequestStats() (bpf.RequestStats, error)
	Strays() ([]bpf.Stray, error)
	AttachTLS(path string, probes []bpf.TLSProbe) (io.Closer, error)
	TLSStats() (bpf.TLSStats, error)
	Judge(socket uint64, refused uint32, class uint8, bursts bool) error
	Latencies(handle func(*bpf.Latency)) error
	Close() error

	security() source
	requests() source
}

// source is one ring, read as bpf.Source does.
type source interface {
	Run(handle func(raw []byte), pause func(records int)) error
	Pending() int
}

// loadKernel loads and attaches the programs.
func loadKernel(opts bpf.Options) (kernel, error) {
	agent, err := bpf.Load(opts)
	if err != nil {
		return nil, err
	}
	return loadedKernel{Agent: agent}, nil
}

type loadedKernel struct{ *bpf.Agent }

func (k loadedKernel) security() source { return k.Security() }
func (k loadedKernel) requests() source { return k.Requests() }
