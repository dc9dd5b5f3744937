//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/encryption"
	"github.com/sightglass/sightglass/internal/footprint"
	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/metadata"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// Limits of Shutdown. All of it together takes no longer than stopTimeout, which
// leaves others their share of the second or two that a program gets to end in.
// Within it the rings are read to their end, the consumers take what was made
// of them, and those that do not have the rest of the time to give up when
// their context ends.
const (
	stopTimeout  = time.Second
	drainTimeout = 400 * time.Millisecond
	graceTimeout = 200 * time.Millisecond

	minDeliver, minGrace = 100 * time.Millisecond, 20 * time.Millisecond // even when the time is over
)

// budget shares out what is left until a deadline: how long the consumers may
// take, and how long they then have to give up.
func budget(left time.Duration) (deliver, grace time.Duration) {
	grace = min(max(left, minGrace), graceTimeout)
	return max(left-grace, minDeliver), grace
}

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

// Start implements component.Component. It loads the programs, which takes less
// than a second, and returns; learning what runs already goes on behind it.
func (r *ebpfReceiver) Start(_ context.Context, host component.Host) error {
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

// running is everything that exists between Start and Shutdown.
type running struct {
	kernel   kernel
	activity *activityStage
	requests *requestStage // nil when requests are not captured
	report   *reporter
	tls      *encryption.Finder // nil when encrypted connections are not decoded
	interest *follower          // nil without a logs pipeline
	log      *zap.Logger

	send     context.Context // of everything that is sent
	cut      context.CancelFunc
	withdraw func()        // takes back the shared process table
	seeded   chan struct{} // closed when what was there at start is known
	quit     chan struct{}
	tasks    sync.WaitGroup           // of what makes data
	helpers  sync.WaitGroup           // of what makes none, and may take its time: putting probes in and out does
	queues   []func() <-chan struct{} // each closes a queue and tells when it is empty
}

// wire puts the stages together: ring -> stage -> queue -> next consumer. It
// owns k: on failure it closes it.
func (r *ebpfReceiver) wire(k kernel) (*running, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: r.set.ID, Transport: "ebpf", LongLivedCtx: true, ReceiverCreateSettings: r.set,
	})
	if err != nil {
		return nil, errors.Join(err, k.Close())
	}
	telemetry, err := metadata.NewTelemetryBuilder(r.set.TelemetrySettings)
	if err != nil {
		return nil, errors.Join(err, k.Close())
	}
	run := &running{kernel: k, log: r.set.Logger, seeded: make(chan struct{}), quit: make(chan struct{})}
	run.send, run.cut = context.WithCancel(context.Background())
	out := deliverer{obs: obs, log: r.set.Logger, refused: new(refusals)}
	host, version := readHost(r.cfg.RootPath), r.set.BuildInfo.Version
	clock := new(bpf.Clock)
	enrich := newEnricher(r.cfg)
	run.withdraw = process.Publish(enrich.processes)

	run.activity = newActivityStage(run.send, &r.cfg.Activity, r.set.Logger, enrich, clock)
	run.activity.pending = k.security().Pending
	if r.logs != nil {
		run.activity.build = translate.NewLogs(host, version)
		run.activity.out = newQueue(run.send, plog.Logs.LogRecordCount, func(ctx context.Context, b plog.Logs) { out.logs(ctx, r.logs, b) })
		run.queues = append(run.queues, run.activity.out.close)
		if r.cfg.Activity.Integrity {
			run.activity.integrity = newIntegrity(r.cfg.RootPath, host, version, run.activity.sendModified)
		}
		run.interest = newFollower(r.registry, k, run.activity, r.set.Logger)
	}
	if r.traces != nil && r.cfg.Requests.Enabled {
		routes, _ := spans.ParsePatterns(r.cfg.Requests.HTTPRoutes) // Validate has refused what is none
		run.requests = newRequestStage(run.send, r.cfg, enrich, clock, run.activity.handled, k.Judge)
		run.requests.spans.agent = r.set.BuildInfo.Description + "/" + version + " ("
		run.requests.spans.translator = spans.NewTranslator(seed())
		run.requests.spans.translator.UseRoutes(routes)
		probes, _ := spans.ParsePatterns(r.cfg.Requests.HTTPProbes)
		run.requests.spans.translator.UseProbes(probes)
		run.requests.spans.build = translate.NewTraces(host, version)
		if r.metrics != nil {
			run.requests.opaque, run.requests.log = translate.NewOpaqueConnections(host, version, time.Now()), r.set.Logger
			run.requests.active, run.requests.interval = translate.NewActiveRequests(host, version, time.Now()), r.cfg.MetricsInterval
		}
		run.tls = newFinder(r.cfg, k, run.requests.notePaused, r.set.Logger)
		run.requests.tls, run.activity.tls = run.tls, run.tls
		run.requests.spans.out = newQueue(run.send, ptrace.Traces.SpanCount, func(ctx context.Context, b ptrace.Traces) { out.traces(ctx, r.traces, b) })
		run.queues = append(run.queues, run.requests.spans.out.close)
	}
	run.report = &reporter{
		kernel: k, activity: run.activity, requests: run.requests, refused: out.refused, enrich: enrich, clock: clock, host: host, version: version,
		interval: r.cfg.MetricsInterval, started: time.Now(), telemetry: telemetry, log: r.set.Logger,
	}
	if r.metrics != nil {
		run.report.out = func(b pmetric.Metrics) { out.metrics(run.send, r.metrics, b) }
	}
	if err := run.report.register(); err != nil {
		return nil, errors.Join(err, run.release(context.Background(), time.Now().Add(stopTimeout)))
	}
	return run, nil
}

// seed makes the ids of spans unpredictable.
func seed() (s [32]byte) {
	_, _ = rand.Read(s[:]) // never fails
	return s
}

// start runs the stages.
func (run *running) start() {
	run.tasks.Go(footprint.Trim) // no other component starts after a receiver
	var starting sync.WaitGroup
	starting.Add(1)
	run.tasks.Go(func() {
		run.activity.seed(run.kernel)
		close(run.seeded)
		starting.Done()
		run.read("security", run.kernel.security(), run.activity.handle, run.activity.pause, run.activity.flush)
	})
	if run.requests != nil {
		run.tasks.Go(func() {
			run.read("requests", run.kernel.requests(), run.requests.handle, run.requests.pause, run.requests.finish)
		})
	}
	if run.tls != nil {
		starting.Add(1)
		run.helpers.Go(func() { run.tls.Run(run.quit, starting.Done) })
	}
	run.helpers.Go(func() {
		starting.Wait()
		footprint.Trim()
	})
	run.tasks.Go(func() { run.report.run(run.quit) })
	if run.interest != nil {
		if g := run.activity.integrity; g != nil {
			run.tasks.Go(func() { g.watch.Run(run.quit) })
		}
		known := make(chan struct{})
		first := sync.OnceFunc(func() { close(known) })
		run.helpers.Go(func() {
			run.activity.enrich.critical.Run(run.quit, func() {
				run.knowFiles()
				first()
			})
		})
		run.tasks.Go(func() {
			// the ring is read from then on, and no filter hides what is critical
			for _, ready := range [...]<-chan struct{}{run.seeded, known} {
				select {
				case <-ready:
				case <-run.quit:
					return
				}
			}
			run.interest.run(run.quit)
		})
	}
}

// knowFiles tells the kernel's filter which files are critical by any path.
func (run *running) knowFiles() {
	if err := run.kernel.SetKnownFiles(run.activity.enrich.critical.Inodes()); err != nil && !errors.Is(err, os.ErrClosed) {
		run.log.Error("The kernel does not know the critical files.", zap.Error(err))
	}
}

// read drains one ring until the kernel side is closed, and then finishes what
// waits.
func (run *running) read(name string, from source, handle func([]byte), pause func(int), finish func(time.Time)) {
	if err := from.Run(handle, pause); err != nil {
		run.log.Error("Reading a ring buffer ended.", zap.String("ring", name), zap.Error(err))
	}
	finish(time.Now())
}

// stop ends everything, in the order in which data flows.
func (run *running) stop(ctx context.Context) error {
	if run.interest != nil {
		run.interest.end()
	}
	deadline := time.Now().Add(stopTimeout)
	run.awaitDrained(ctx)
	return run.release(ctx, deadline)
}

// errStuck tells that a consumer did not return although its context ended.
var errStuck = errors.New("ebpf receiver: the next consumer does not return")

// release closes the kernel side, upon which the stages finish, and delivers
// what they have made. Consumers that take too long are cut off.
func (run *running) release(ctx context.Context, deadline time.Time) error {
	if run.interest != nil {
		run.interest.end()
	}
	errs := []error{run.kernel.Close()}
	close(run.quit)
	delivered := make(chan struct{})
	go func() {
		defer close(delivered)
		run.tasks.Wait()
		for _, closeQueue := range run.queues {
			<-closeQueue()
		}
	}()
	deliver, grace := budget(time.Until(deadline))
	if !waitFor(ctx, delivered, deliver) {
		run.cut()
		if !waitFor(context.Background(), delivered, grace) {
			errs = append(errs, errStuck)
		}
	}
	run.cut()
	run.awaitHelpers(max(time.Until(deadline), grace))
	run.withdraw()
	run.report.telemetry.Shutdown()
	return errors.Join(errs...)
}

// awaitHelpers gives what makes no data a while to end. Probes have to be out by
// then: of those that are just being taken out when the process ends, the kernel
// leaves the breakpoints in the programs that run.
func (run *running) awaitHelpers(d time.Duration) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run.helpers.Wait()
		if run.tls != nil {
			run.tls.Wait()
		}
	}()
	if !waitFor(context.Background(), ended, d) {
		run.log.Debug("Probes are still being taken out.")
	}
}

// waitFor reports whether done was closed in time.
func waitFor(ctx context.Context, done <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	case <-ctx.Done():
		return false
	}
}

// awaitDrained waits until what happened before the call has been read.
func (run *running) awaitDrained(ctx context.Context) {
	until := run.report.clock.Boot(time.Now())
	deadline := time.NewTimer(drainTimeout)
	defer deadline.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for run.activity.drained.Load() < until {
		select {
		case <-look.C:
		case <-deadline.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// follower keeps the kernel's filter and the activity stage's up to date with
// what anybody wants. Until run is called the kernel captures no system calls.
type follower struct {
	registry *interest.Registry
	kernel   kernel
	stage    *activityStage
	narrow   bool // the kernel filters, too
	log      *zap.Logger
	changed  chan struct{}
	end      func() // of the subscription

	following atomic.Bool // the kernel has been asked
	told      atomic.Bool // of names that nobody captures
}

func newFollower(r *interest.Registry, k kernel, stage *activityStage, log *zap.Logger) *follower {
	f := &follower{registry: r, kernel: k, stage: stage, narrow: stage.cfg.KernelFilter, log: log, changed: make(chan struct{}, 1)}
	f.end = r.Subscribe(func() {
		select {
		case f.changed <- struct{}{}:
		default: // a look is due already
		}
	})
	stage.wanted.Store(newWanted(r.Wanted()))
	return f
}

// run asks the kernel for what is wanted, and again when that changes, until
// quit is closed.
func (f *follower) run(quit <-chan struct{}) {
	f.follow()
	for {
		select {
		case <-f.changed:
			f.follow()
		case <-quit:
			return
		}
	}
}

// follow applies the present interest: first to the records that still come,
// then to the kernel, when it grows; nothing is lost by the other order.
func (f *follower) follow() {
	w := f.registry.Wanted()
	f.stage.wanted.Store(newWanted(w))
	environments := w.Set.Environment()
	f.stage.enrich.processes.KeepEnvironments(environments)
	set := captured(w)
	if !f.narrow {
		set = set.Whole()
	}
	unknown, err := f.kernel.SetInterest(set)
	err = errors.Join(err, f.kernel.SetExecEnvironment(environments))
	f.following.Store(true)
	if err != nil {
		f.log.Error("The kernel keeps to what was wanted before.", zap.Error(err))
	}
	if len(unknown) > 0 && !f.told.Swap(true) {
		f.log.Debug("Events that are wanted and not captured.", zap.Strings("names", unknown))
	}
}
