//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/encryption"
	"github.com/sightglass/sightglass/internal/footprint"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/metadata"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

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
		r.wireLogs(run, &out, host)
	}
	if r.traces != nil && r.cfg.Requests.Enabled {
		r.wireTraces(run, &out, host)
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

// wireLogs has the activity stage make log records and send them to out.
func (r *ebpfReceiver) wireLogs(run *running, out *deliverer, host translate.Host) {
	version := r.set.BuildInfo.Version
	stage := run.activity
	stage.build = translate.NewLogs(host, version)
	stage.out = newQueue(run.send, plog.Logs.LogRecordCount, func(ctx context.Context, b plog.Logs) { out.logs(ctx, r.logs, b) })
	run.queues = append(run.queues, stage.out.close)
	if r.cfg.Activity.Integrity {
		stage.integrity = newIntegrity(r.cfg.RootPath, host, version, stage.sendModified)
	}
	run.interest = newFollower(r.registry, run.kernel, stage, r.set.Logger)
}

// wireTraces adds the request stage, which sends spans to out and, when there are
// metrics, keeps those that it makes for the reporter.
func (r *ebpfReceiver) wireTraces(run *running, out *deliverer, host translate.Host) {
	version := r.set.BuildInfo.Version
	stage := newRequestStage(run.send, r.cfg, run.activity.enrich, run.activity.clock, run.activity.handled, run.kernel.Judge)
	routes, _ := spans.ParsePatterns(r.cfg.Requests.HTTPRoutes) // Validate has refused what is none
	probes, _ := spans.ParsePatterns(r.cfg.Requests.HTTPProbes)
	stage.spans.agent = r.set.BuildInfo.Description + "/" + version + " ("
	stage.spans.translator = spans.NewTranslator(seed())
	stage.spans.translator.UseRoutes(routes)
	stage.spans.translator.UseProbes(probes)
	stage.spans.build = translate.NewTraces(host, version)
	stage.spans.out = newQueue(run.send, ptrace.Traces.SpanCount, func(ctx context.Context, b ptrace.Traces) { out.traces(ctx, r.traces, b) })
	run.queues = append(run.queues, stage.spans.out.close)
	if r.metrics != nil {
		stage.opaque, stage.log = translate.NewOpaqueConnections(host, version, time.Now()), r.set.Logger
		stage.active, stage.interval = translate.NewActiveRequests(host, version, time.Now()), r.cfg.MetricsInterval
	}
	run.tls = newFinder(r.cfg, run.kernel, stage.notePaused, r.set.Logger)
	stage.tls, run.activity.tls = run.tls, run.tls
	run.requests = stage
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

// maxBegin is how long the start of the collector waits for the capture to begin.
const maxBegin = 15 * time.Second

// begin waits until what runs already is known and the kernel has been asked for
// what is wanted, for so long at most.
func (run *running) begin(ctx context.Context, atMost time.Duration) {
	began := (<-chan struct{})(run.seeded)
	if run.interest != nil {
		began = run.interest.began
	}
	late := time.NewTimer(atMost)
	defer late.Stop()
	select {
	case <-began:
	case <-ctx.Done():
	case <-late.C:
		run.log.Warn("The capture has not begun yet: the machine is slow to tell what runs on it. It begins as soon as that is known.")
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
