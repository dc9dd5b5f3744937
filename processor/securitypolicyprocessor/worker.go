package securitypolicyprocessor

import (
	"cmp"
	"slices"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/acts"
	"github.com/sightglass/sightglass/internal/detection"
	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/record"
	"github.com/sightglass/sightglass/internal/schema"
)

// worker evaluates batches, one at a time. Its memory is reused from batch to
// batch; records that match nothing and are not kept cost no allocation.
type worker struct {
	p       *policyProcessor
	view    *record.View
	armed   *armed // the rules that matcher is for
	matcher *policy.Matcher
	onMatch func(*policy.Match) // the methods match
	onStep  func(*policy.Match) // and decide, made values once
	rec     plog.LogRecord      // the present one
	hidden  hidden              // it, as outputs show it
	out     assembler
	later   []step // matches that wait for the end of the batch
	counts  counts
	hits    []hit  // of the batch, one per rule that matched
	key     []byte // identifies the present resource
	keyed   bool
	now     time.Time
}

// hit counts what one rule did in a batch.
type hit struct {
	rule                          *policy.Rule
	matched, followed, suppressed int64
}

// step is a match that may be a step of an act. Records come by resource, acts by
// time: a shell and what started it may be of two services.
type step struct {
	rule *policy.Rule
	rl   plog.ResourceLogs
	rec  plog.LogRecord
}

func newWorker(p *policyProcessor) *worker {
	w := &worker{p: p, view: record.New()}
	w.onMatch, w.onStep = w.match, w.decide
	return w
}

// run evaluates a batch and reports whether anything passes on.
func (w *worker) run(armed *armed, ld plog.Logs, now time.Time) (out plog.Logs, some bool) {
	if w.armed != armed {
		w.armed, w.matcher = armed, armed.set.NewMatcher()
	}
	w.now = now
	w.counts.reset()
	w.hits = w.hits[:0]
	w.out.reset()
	w.view.UseShared(now)
	for _, rl := range ld.ResourceLogs().All() {
		w.enter(rl)
		for _, sl := range rl.ScopeLogs().All() {
			w.out.scope, w.out.haveScope = sl, false
			for _, rec := range sl.LogRecords().All() {
				w.one(rec)
			}
		}
	}
	w.steps()
	return w.out.logs, w.out.some
}

// enter goes on with the records of a resource.
func (w *worker) enter(rl plog.ResourceLogs) {
	w.view.SetResource(rl.Resource())
	w.keyed = false
	w.out.resource = rl
	w.out.haveResource = false
}

// steps decides, in the order of their times, about what may be steps of acts.
func (w *worker) steps() {
	if len(w.later) == 0 {
		return
	}
	slices.SortStableFunc(w.later, func(a, b step) int { return cmp.Compare(a.rec.Timestamp(), b.rec.Timestamp()) })
	for i := range w.later {
		s := &w.later[i]
		if s.rl != w.out.resource {
			w.enter(s.rl)
		}
		w.view.SetRecord(s.rec)
		w.rec = s.rec
		w.matcher.Again(w.view, s.rule, w.onStep)
	}
	clear(w.later)
	w.later = w.later[:0]
}

// one evaluates one record.
func (w *worker) one(rec plog.LogRecord) {
	fate, activity := w.p.fates[rec.EventName()]
	if !activity {
		w.counts.foreign++
		rec.CopyTo(w.out.plain())
		return
	}
	w.counts.evaluated++
	w.view.SetRecord(rec)
	w.rec = rec
	if w.view.Lost() {
		w.counts.lost++
	}
	if fate.keep && !w.view.Self() {
		w.counts.kept[fate.index]++
		w.keep()
	} else {
		w.counts.filtered[fate.index]++
	}
	w.matcher.Match(w.view, w.onMatch)
}

// keep lets the present record pass.
func (w *worker) keep() {
	kept := w.out.plain()
	w.rec.CopyTo(kept)
	w.counts.redacted += w.p.redactor.complete(kept, w.view)
	w.counts.redacted += w.p.redactor.record(kept)
	if w.p.redactor != nil {
		w.counts.redacted += int64(w.view.Secrets())
	}
	w.leave(kept)
}

// leave takes out of rec what only this program understands. Without a redactor
// it is what the receiver masked as well: somebody wants to see it.
func (w *worker) leave(rec plog.LogRecord) {
	if w.p.redactor == nil {
		w.view.Reveal(rec)
	}
	w.view.Unmark(rec)
}

// match takes the match of a rule. One that may be a step of an act waits for those
// of the batch that were before it.
func (w *worker) match(m *policy.Match) {
	if w.p.acts != nil && w.armed.options[m.Rule].ofAct {
		w.later = append(w.later, step{m.Rule, w.out.resource, w.rec})
		return
	}
	w.decide(m)
}

// decide turns a match into a detection, or into a further step of the act that
// another one tells, unless there were too many of them.
func (w *worker) decide(m *policy.Match) {
	h := w.hit(m.Rule)
	h.matched++
	host, _ := w.view.String(field.AttrHostName)
	first, verdict := w.p.acts.Step(m.Rule, host, w.view.Time(), w.view.Kin, func(must bool) bool {
		return w.p.limiter.allow(w.now, m.Rule, w.resourceKey(), w.out.resource.Resource(), w.rec.Timestamp(), must)
	})
	switch verdict {
	case acts.Told:
		w.tell(m, "")
	case acts.Suppressed:
		h.suppressed++
	case acts.Step:
		h.followed++
		w.tell(m, first)
	case acts.Follows:
		h.followed++
	}
}

// tell makes the record of a match: a detection or, with the rule that told of
// the act before, a step of it, which calls nobody.
func (w *worker) tell(m *policy.Match, first string) {
	dst := w.out.detection(w.p.setScope)
	if w.p.redactor != nil {
		w.hidden = hidden{Source: w.view, r: w.p.redactor}
		m.Show(&w.hidden)
	}
	alert := detection.OfMatch(m)
	alert.Write(dst, w.rec)
	if first != "" {
		detection.MakeStep(dst, first)
	} else {
		host, _ := w.view.String(field.AttrHostName)
		w.p.http.match(m, host)
	}
	w.counts.redacted += w.hidden.masked + w.p.redactor.complete(dst, w.view)
	w.counts.redacted += w.p.redactor.detection(dst)
	w.leave(dst)
}

func (w *worker) hit(rule *policy.Rule) *hit {
	for i := range w.hits {
		if w.hits[i].rule == rule {
			return &w.hits[i]
		}
	}
	w.hits = append(w.hits, hit{rule: rule})
	return &w.hits[len(w.hits)-1]
}

// identity are the attributes that tell resources apart for the rate limit.
var identity = []string{
	schema.HostID, schema.HostName, schema.ContainerID, schema.K8sPodUID,
	schema.ServiceNamespace, schema.ServiceName, schema.SystemdUnit,
}

func (w *worker) resourceKey() []byte {
	if w.keyed {
		return w.key
	}
	w.keyed, w.key = true, w.key[:0]
	attrs := w.out.resource.Resource().Attributes()
	for _, name := range identity {
		if v, ok := attrs.Get(name); ok {
			w.key = append(w.key, v.AsString()...)
		}
		w.key = append(w.key, 0)
	}
	return w.key
}
