package servicelatencyconnector

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/identity"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/request"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/statement"
	"github.com/sightglass/sightglass/internal/querytext"
)

// maxReports is how many refused reports are kept for another attempt.
const maxReports = 4

// tracesToLogs lists the database statements that services spend most time on.
// It counts nothing that the metrics count: its state ends with each interval.
type tracesToLogs struct {
	*lifecycle
	logger     *zap.Logger
	next       consumer.Logs
	encoder    *reportEncoder
	catalog    *request.Catalog
	identities *identity.Reader
	table      *statement.Table
	top        int
	maxText    int
	workers    sync.Pool
	counts     *spanCounts

	begin   time.Time // of the interval
	reports []report  // refused
	started bool      // something has been sent

	sent, turnedDown, lost atomic.Int64
}

// report is what an interval has brought.
type report struct {
	begin, end time.Time
	services   []*statement.Service
}

func (r *report) records() (n int64) {
	for _, s := range r.services {
		n += int64(len(s.Statements))
	}
	return n
}

func newTracesToLogs(cfg *Config, set connector.Settings, next consumer.Logs) (*tracesToLogs, error) {
	c := &tracesToLogs{
		logger:     set.Logger,
		next:       next,
		encoder:    &reportEncoder{version: set.BuildInfo.Version, writer: newWriter()},
		catalog:    request.NewCatalog(request.Options{Shape: cfg.shape, Enabled: (*request.Definition).Database, Texts: true}),
		identities: identity.NewReader(cfg.ResourceAttributes),
		table:      statement.NewTable(cfg.Statements.MaxTracked),
		top:        cfg.Statements.Top,
		maxText:    cfg.Statements.MaxTextBytes,
		counts:     new(spanCounts),
		begin:      time.Now(),
	}
	c.workers.New = func() any { return &statementWorker{c: c} }
	telemetry, err := newTelemetry(set, modeTracesToLogs)
	if err != nil {
		return nil, err
	}
	telemetry.spans(c.counts)
	telemetry.sending(&c.sent, &c.turnedDown, &c.lost)
	c.lifecycle = &lifecycle{interval: cfg.Statements.Interval, flush: c.report, finish: c.finish, telemetry: telemetry}
	return c, telemetry.err
}

// Capabilities says that spans are only read.
func (*tracesToLogs) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// ConsumeTraces counts the spans of database calls. It never fails.
func (c *tracesToLogs) ConsumeTraces(_ context.Context, td ptrace.Traces) error {
	w := c.workers.Get().(*statementWorker)
	for _, rs := range td.ResourceSpans().All() {
		w.resourceSpans(rs)
	}
	for outcome, n := range w.counts {
		if n > 0 {
			c.counts[outcome].Add(n)
			w.counts[outcome] = 0
		}
	}
	c.workers.Put(w)
	return nil
}

// report ends the interval and sends what it brought.
func (c *tracesToLogs) report(ctx context.Context, now time.Time) bool {
	for len(c.reports) > 0 && c.send(ctx, &c.reports[0]) {
		c.reports = c.reports[1:]
	}
	r := report{begin: c.begin, end: now, services: c.table.Take(c.top)}
	c.begin = now
	if len(r.services) > 0 && !c.send(ctx, &r) {
		c.reports = append(c.reports, r)
	}
	for len(c.reports) > maxReports {
		c.drop()
	}
	return c.started
}

// send reports whether the report is done with, for good or ill.
func (c *tracesToLogs) send(ctx context.Context, r *report) bool {
	c.started = true
	err := c.next.ConsumeLogs(ctx, c.encoder.encode(r))
	if err == nil {
		c.sent.Add(r.records())
		return true
	}
	c.turnedDown.Add(r.records())
	c.logger.Warn("The next component refuses the list of statements.", zap.Error(err))
	if consumererror.IsPermanent(err) {
		c.lost.Add(r.records())
		return true
	}
	return false
}

func (c *tracesToLogs) drop() {
	c.lost.Add(c.reports[0].records())
	c.reports = c.reports[1:]
}

// finish sends the rest when the loop has ended.
func (c *tracesToLogs) finish(ctx context.Context) {
	c.report(ctx, time.Now())
	for len(c.reports) > 0 {
		c.drop()
	}
}

// statementWorker is what one goroutine needs to count statements.
type statementWorker struct {
	c        *tracesToLogs
	id       identity.Identity
	resource request.Resource
	fields   request.Fields
	seen     statement.Seen
	identity []byte
	key      []byte
	counts   [outcomes]int64
}

func (w *statementWorker) resourceSpans(rs ptrace.ResourceSpans) {
	resource := rs.Resource()
	w.c.catalog.ReadResource(resource, &w.resource)
	w.identity = w.c.identities.AppendKey(w.identity[:0], resource.Attributes(), &w.id)
	for _, ss := range rs.ScopeSpans().All() {
		for _, span := range ss.Spans().All() {
			m, outcome := w.c.catalog.Read(span, &w.resource, &w.fields)
			if m != nil {
				w.count(m, span)
			}
			w.counts[outcome]++
		}
	}
}

func (w *statementWorker) count(m *request.Metric, span ptrace.Span) {
	f, s := &w.fields, &w.seen
	s.Side = statement.Client
	if m.Server {
		s.Side = statement.Server
	}
	s.System, s.Namespace = f.Text(request.DBSystem), f.Text(request.DBNamespace)
	s.Summary, s.Peer = summary(f), f.Text(request.PeerName)
	s.Text, s.Truncated = querytext.AppendSanitized(s.Text[:0], f.Text(request.DBText), querytext.LanguageOf(s.System), w.c.maxText)
	s.Failed = f.Failed()
	s.Sample.Set(request.Duration(span))
	s.Sample.Others = f.Others()
	e := &s.Sample.Exemplar
	e.TraceID, e.SpanID, e.Time = span.TraceID(), span.SpanID(), uint64(span.EndTimestamp())
	w.key = w.c.table.Record(w.identity, s, w.key)
}

// summary names a statement whose text is not known, and helps to read one
// whose text is.
func summary(f *request.Fields) string {
	for _, slot := range []request.Slot{request.DBSummary, request.DBProcedure, request.DBOperation} {
		if text := f.Text(slot); text != "" {
			return text
		}
	}
	return ""
}
