package terminalexporter

import (
	"context"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/latency"
	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/screen"
	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/text"
)

// silence is how long the receiver may take to its first report before the
// reader is told.
const silence = 15 * time.Second

// maxBurst is how many lines go into one write.
const maxBurst = 128

// printer writes what a terminal collects. All of it is used by one goroutine.
type printer struct {
	*terminal
	buf          []byte
	began        time.Time
	shown        uint64    // lines in buf that are not written yet
	lastTable    time.Time // last look at the latencies, or the start
	tableShown   time.Time
	lastStatus   time.Time // when the state was last on the screen
	missing      []screen.Hook
	opaque       []screen.Opaque
	told         bool // the first status was shown
	toldSilence  bool
	lost         uint64
	failedWrites bool
}

func newPrinter(t *terminal) *printer {
	now := t.now()
	return &printer{terminal: t, began: now, lastTable: now, lastStatus: now}
}

// run prints until stop is closed, then what is left, and closes done.
func (p *printer) run(stop <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	ticks := time.NewTicker(time.Second)
	defer ticks.Stop()
	p.begin()
	for {
		select {
		case l := <-p.queue:
			p.lines(l)
		case <-ticks.C:
			p.second()
		case <-stop:
			p.end()
			return
		}
	}
}

func (p *printer) begin() {
	s := p.out.style()
	if p.shows(showStatus) {
		p.buf = s.AppendStarting(p.buf, p.began, p.name)
	}
	if len(p.selection.byEvent) > 0 || p.selection.requests {
		p.buf = s.AppendHeader(p.buf)
	}
	p.flush()
}

func (p *printer) shows(what string) bool { return slices.Contains(p.cfg.Show, what) }

// lines writes l and what else waits.
func (p *printer) lines(l screen.Line) {
	s := p.out.style()
	p.buf = s.AppendLine(p.buf, l)
	p.shown++
	for range maxBurst - 1 {
		select {
		case l := <-p.queue:
			p.buf = s.AppendLine(p.buf, l)
			p.shown++
		default:
			p.flush()
			return
		}
	}
	p.flush()
}

// second does what is due once a second: tell what was hidden or dropped, and
// show the table or the state when it is their time.
func (p *printer) second() {
	now := p.now()
	p.notShown(now)
	if now.Sub(p.tableShown) >= p.cfg.TableInterval {
		p.table(now)
	}
	if p.shows(showStatus) {
		p.status(now)
	}
	p.flush()
}

// notShown tells what the gate hid and what a slow terminal made us drop.
func (p *printer) notShown(now time.Time) {
	p.mu.Lock()
	counts := p.gate.take()
	p.mu.Unlock()
	s := p.out.style()
	if hidden, n := hiddenOf(counts); n > 0 {
		p.buf = s.AppendHidden(p.buf, hidden, counts[kindDetection] > 0)
		p.count(n, "hidden")
	}
	if n := p.dropped.Swap(0); n > 0 {
		p.buf = s.AppendWarning(p.buf, now, text.Safe(strconv.FormatUint(n, 10))+" lines were dropped: the terminal is too slow")
		p.count(n, "dropped")
	}
}

// table shows how the services answered since the last look, if they did. After
// a silence that is the first second with requests, so that they show at once;
// under load it is a whole interval.
func (p *printer) table(now time.Time) {
	interval := now.Sub(p.lastTable)
	p.lastTable = now
	p.mu.Lock()
	rows := p.latency.Take(now)
	p.mu.Unlock()
	st := p.state()
	if len(rows) == 0 || !p.shows(showServices) {
		return
	}
	p.tableShown = now
	table := screen.Table{Time: now, Interval: interval, Status: st}
	for i, row := range rows {
		if i == p.cfg.TableRows {
			table.More = len(rows) - i
			break
		}
		table.Rows = append(table.Rows, tableRow(row, interval))
	}
	p.buf = p.out.style().AppendTable(p.buf, table)
	if st.Known {
		p.lastStatus, p.lost = now, lostOf(st)
	}
}

func tableRow(row *latency.Row, interval time.Duration) screen.TableRow {
	name := safe(row.Service)
	if name == "" {
		name = "-"
	}
	if row.Namespace != "" {
		name = safe(row.Namespace) + "/" + name
	}
	percentiles := row.Percentiles(0.50, 0.95, 0.99)
	return screen.TableRow{
		Service:   name,
		Side:      text.Safe(row.Side),
		Protocol:  safe(row.Protocol),
		PerSecond: float64(row.Count) / interval.Seconds(),
		Errors:    float64(row.Errors) / float64(row.Count),
		P50:       percentiles[0], P95: percentiles[1], P99: percentiles[2],
	}
}

// status shows the state of the watch at first, when something about it has
// changed that the reader should know, and as a heartbeat.
func (p *printer) status(now time.Time) {
	st := p.state()
	if !slices.Equal(st.Opaque, p.opaque) {
		p.opaque = st.Opaque
		p.buf = p.out.style().AppendOpaque(p.buf, now, st.Opaque)
	}
	since := now.Sub(p.lastStatus)
	switch {
	case !st.Known:
		if p.toldSilence || since < silence {
			return
		}
		p.toldSilence = true
		p.buf = p.out.style().AppendSilence(p.buf, now)
	case !p.told, !slices.Equal(st.Missing, p.missing):
		p.told = true
		p.buf = p.out.style().AppendStatus(p.buf, now, st)
	case lostOf(st) > p.lost && since >= p.cfg.TableInterval,
		p.cfg.HeartbeatInterval > 0 && since >= p.cfg.HeartbeatInterval:
		p.buf = p.out.style().AppendHeartbeat(p.buf, now, st)
	default:
		return
	}
	p.lastStatus = now
	p.missing, p.lost = st.Missing, lostOf(st)
}

// state is that of the watch, with what the table had no room for.
func (p *printer) state() screen.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := p.watch.status(p.latency.Total())
	if n := p.latency.Ignored(); n > 0 {
		st.Lost = append(st.Lost, screen.Loss{Class: "table", Reason: "full", Count: n})
	}
	return st
}

func lostOf(st screen.Status) uint64 {
	var n uint64
	for _, l := range st.Lost {
		n += l.Count
	}
	return n
}

// end shows what is queued and the last state.
func (p *printer) end() {
	for range queueSize {
		select {
		case l := <-p.queue:
			p.lines(l)
			continue
		default:
		}
		break
	}
	now := p.now()
	p.notShown(now)
	p.table(now)
	st := p.state()
	if st.Known && p.shows(showStatus) {
		p.buf = p.out.style().AppendEnd(p.buf, now, now.Sub(p.began), st)
	}
	p.flush()
}

// flush writes the buffer. A write that fails costs its lines, which are
// counted; the first is logged.
func (p *printer) flush() {
	if len(p.buf) == 0 {
		return
	}
	_, err := p.out.Write(p.buf)
	p.buf = p.buf[:0]
	outcome := "shown"
	if err != nil {
		outcome = "dropped"
		if !p.failedWrites {
			p.logger.Error("cannot write to the terminal", zap.Error(err))
		}
	}
	p.failedWrites = err != nil
	p.count(p.shown, outcome)
	p.shown = 0
}

// count adds to our own telemetry.
func (p *printer) count(lines uint64, outcome string) {
	if lines > 0 {
		p.telemetry.ExporterTerminalLines.Add(context.Background(), int64(lines),
			metric.WithAttributeSet(attribute.NewSet(attribute.String("outcome", outcome))))
	}
}
