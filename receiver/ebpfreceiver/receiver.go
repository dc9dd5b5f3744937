//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests"
)

// ebpfReceiver is the one instance behind the signals of a configuration.
type ebpfReceiver struct {
	cfg      *Config
	set      receiver.Settings
	registry *interest.Registry
	load     func(bpf.Options) (kernel, error)

	// Consumers, nil where no pipeline names the receiver. Set before Start.
	logs    consumer.Logs
	metrics consumer.Metrics
	traces  consumer.Traces

	mu      sync.Mutex
	running *running // nil before Start, after Shutdown, and when nothing can be observed
}

func newReceiver(cfg *Config, set receiver.Settings) *ebpfReceiver {
	return &ebpfReceiver{cfg: cfg, set: set, registry: interest.Shared(), load: loadKernel}
}

// Start implements component.Component. It loads the programs, learns what runs
// already, which takes about a second, and returns when the capture has begun:
// what the collector then says is true. What looks into programs for requests
// over TLS goes on behind it.
func (r *ebpfReceiver) Start(ctx context.Context, host component.Host) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running != nil {
		return errors.New("ebpf receiver: started twice")
	}
	if err := checkRoot(r.cfg.RootPath); err != nil {
		return err
	}
	k, err := r.load(r.options())
	if err != nil {
		return r.failed(host, err)
	}
	run, err := r.wire(k)
	if err != nil {
		return err
	}
	r.running = run
	run.start()
	r.tellHooks(host, k)
	r.tellPrivileges()
	run.begin(ctx, maxBegin)
	return nil
}

// failed handles an error that leaves nothing to observe.
func (r *ebpfReceiver) failed(host component.Host, err error) error {
	err = fmt.Errorf("ebpf receiver: %w", err)
	if r.cfg.ErrorMode != ErrorModeIgnore {
		return err
	}
	r.set.Logger.Error("Nothing can be observed; going on without (error_mode: ignore).", zap.Error(err))
	componentstatus.ReportStatus(host, componentstatus.NewPermanentErrorEvent(err))
	return nil
}

// options says what to load for the pipelines that there are. It names no
// system call: loading goes on for a second, or many on a busy machine, and
// would fill a ring that nobody reads yet. The follower asks for them.
func (r *ebpfReceiver) options() bpf.Options {
	protocols, _ := requests.Named(r.cfg.Requests.Protocols) // Validate has refused what is unknown
	return bpf.Options{
		SecurityRing: r.cfg.RingBuffer.SecuritySize,
		RequestsRing: r.cfg.RingBuffer.RequestsSize,
		Requests:     r.traces != nil && r.cfg.Requests.Enabled,
		Signatures:   requests.Signatures(protocols),
		TLS:          r.cfg.Requests.TLS.Enabled,
		TLSClass:     requests.ClassOfCipherText(protocols),
		MaxPayload:   r.cfg.Requests.MaxPayload,
		Latency:      r.metrics != nil && r.cfg.SyscallLatency.Enabled,
	}
}

// Shutdown implements component.Component. It stops the programs, forwards what
// they have told until then, and leaves nothing behind.
func (r *ebpfReceiver) Shutdown(ctx context.Context) error {
	r.mu.Lock()
	run := r.running
	r.running = nil
	r.mu.Unlock()
	if run == nil {
		return nil
	}
	return run.stop(ctx)
}
