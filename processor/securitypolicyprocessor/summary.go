package securitypolicyprocessor

import (
	"context"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/detection"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/processor/securitypolicyprocessor/internal/metadata"
)

// summarize sends what the rate limit suppressed whenever an interval ends.
func (p *policyProcessor) summarize(ctx context.Context) {
	ticker := time.NewTicker(min(time.Second, p.cfg.RateLimit.Interval))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := p.sendSummaries(ctx, false); err != nil {
				p.logger.Warn("the counts of suppressed detections were not accepted", zap.Error(err))
			}
		}
	}
}

func (p *policyProcessor) sendSummaries(ctx context.Context, all bool) error {
	now := time.Now()
	suppressed := p.limiter.expire(now, all)
	if len(suppressed) == 0 {
		return nil
	}
	for i := range suppressed {
		host := ""
		if v, ok := suppressed[i].resource.Attributes().Get(schema.HostName); ok {
			host = v.Str()
		}
		p.http.suppressed(&suppressed[i], host, now)
	}
	return p.next.ConsumeLogs(ctx, p.summaries(suppressed, now))
}

// summaries makes one record per rule and resource; records of one resource
// stand together.
func (p *policyProcessor) summaries(suppressed []suppression, now time.Time) plog.Logs {
	ld := plog.NewLogs()
	var records plog.LogRecordSlice
	for i := range suppressed {
		s := &suppressed[i]
		if i == 0 || s.key != suppressed[i-1].key {
			rl := ld.ResourceLogs().AppendEmpty()
			s.resource.CopyTo(rl.Resource())
			sl := rl.ScopeLogs().AppendEmpty()
			p.setScope(sl.Scope())
			records = sl.LogRecords()
		}
		writeSummary(records.AppendEmpty(), s, now)
	}
	return ld
}

func (p *policyProcessor) setScope(scope pcommon.InstrumentationScope) {
	scope.SetName(metadata.ScopeName)
	scope.SetVersion(p.version)
}

// text is a suppression in words.
func (s *suppression) text() string {
	return strconv.FormatInt(s.count, 10) + " further matches of \"" + s.rule.Name + "\" within " +
		s.over.Round(time.Millisecond).String() + " were suppressed by the rate limit"
}

func writeSummary(rec plog.LogRecord, s *suppression, now time.Time) {
	alert := detection.OfRule(s.rule)
	alert.Output = s.text()
	alert.Write(rec, plog.NewLogRecord())
	rec.SetTimestamp(s.last)
	rec.SetObservedTimestamp(pcommon.NewTimestampFromTime(now))
	rec.Attributes().PutInt(schema.PolicySuppressed, s.count)
}
