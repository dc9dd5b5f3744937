package securitypolicyprocessor

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processorhelper"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/acts"
	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/policy/names"
	"github.com/sightglass/sightglass/internal/reload"
	"github.com/sightglass/sightglass/processor/securitypolicyprocessor/internal/metadata"
)

// policyProcessor holds what lives as long as the component. The rules that
// are in force hang on one pointer, which a reload exchanges between batches.
type policyProcessor struct {
	cfg      *Config
	name     string
	version  string
	logger   *zap.Logger
	settings component.TelemetrySettings
	next     consumer.Logs

	telemetry *metadata.TelemetryBuilder
	counters  *counters
	files     ruleFiles
	fates     fates
	limiter   *limiter
	acts      *acts.Acts // nil when every match is told
	redactor  *redactor
	http      *httpOutput // nil when off

	names   *names.Table // addresses of the domain names in rules
	armed   atomic.Pointer[armed]
	workers sync.Pool // of *worker

	host   component.Host
	wishes *interest.Handle
	cancel context.CancelFunc // nil while not running
	loops  sync.WaitGroup
}

func newProcessor(set processor.Settings, cfg *Config, next consumer.Logs) (*policyProcessor, error) {
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	p := &policyProcessor{
		cfg:     cfg,
		name:    set.ID.String(),
		version: set.BuildInfo.Version,
		// A wrong rule file is no bug of ours: no stack trace with it.
		logger:    set.Logger.WithOptions(zap.AddStacktrace(zap.FatalLevel)),
		settings:  set.TelemetrySettings,
		next:      next,
		telemetry: telemetry,
		counters:  newCounters(telemetry),
		files:     ruleFiles{patterns: cfg.RulesFiles},
		fates:     newFates(cfg.Keep),
		limiter:   newLimiter(cfg.RateLimit),
		redactor:  newRedactor(cfg.Redact),
		names:     names.New(net.DefaultResolver),
	}
	if cfg.RuleMatching == matchFirst {
		p.acts = acts.New()
	}
	p.workers.New = func() any { return newWorker(p) }
	return p, nil
}

// start loads the rules, tells the receiver of this program what they want,
// and begins to watch their files. An error in them is fatal here.
func (p *policyProcessor) start(ctx context.Context, host component.Host) error {
	seen := p.files.fingerprint()
	set, err := p.load()
	if err != nil {
		return err
	}
	if p.http, err = p.startHTTPOutput(ctx, host); err != nil {
		return err
	}
	p.host = host
	p.arm(ctx, set)
	p.wishes = interest.Shared().Register(p.name, p.wants(set))
	if missing := notCaptured(set); len(missing) > 0 {
		p.logger.Warn("rules name event types that this version does not capture", zap.Strings("types", missing))
	}

	// The context of Start ends with the start.
	background, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.loops.Go(func() { p.names.Run(background) })
	if len(p.cfg.RulesFiles) > 0 {
		requested, end := reload.Shared().Subscribe()
		p.loops.Go(func() {
			defer end()
			p.watch(background, seen, requested)
		})
	}
	if p.limiter != nil {
		p.loops.Go(func() { p.summarize(background) })
	}
	return nil
}

// shutdown ends the loops, tells what was suppressed until now, sends the alerts
// that wait, and withdraws the wishes. It does nothing before start and when called again.
func (p *policyProcessor) shutdown(ctx context.Context) error {
	if p.cancel == nil {
		return nil
	}
	p.cancel()
	p.cancel = nil
	p.loops.Wait()
	p.wishes.Release()
	err := errors.Join(p.sendSummaries(ctx, true), p.http.shutdown(ctx))
	p.telemetry.Shutdown()
	return err
}

var errNotStarted = errors.New("security_policy: not started")

// processLogs evaluates one batch. The result shares nothing with ld.
func (p *policyProcessor) processLogs(ctx context.Context, ld plog.Logs) (plog.Logs, error) {
	armed := p.armed.Load()
	if armed == nil {
		return plog.Logs{}, errNotStarted
	}
	began := time.Now()
	w := p.workers.Get().(*worker)
	defer p.workers.Put(w)
	out, some := w.run(armed, ld, began)
	p.counters.add(ctx, &w.counts, time.Since(began))
	p.counters.addMatches(ctx, armed, w.hits)
	if !some {
		return out, processorhelper.ErrSkipProcessingData
	}
	return out, nil
}
