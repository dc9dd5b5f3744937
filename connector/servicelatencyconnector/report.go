package servicelatencyconnector

import (
	"fmt"
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/attribute"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/metadata"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/request"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/statement"
	"github.com/sightglass/sightglass/internal/schema"
)

// reportEncoder makes log records of statements.
type reportEncoder struct {
	version string
	writer  writer
}

func (e *reportEncoder) encode(r *report) plog.Logs {
	logs := plog.NewLogs()
	for _, service := range r.services {
		rl := logs.ResourceLogs().AppendEmpty()
		rl.SetSchemaUrl(schemaURL)
		e.writer.stamp(rl.Resource().Attributes(), Cumulative)
		for name, v := range aggregate.DecodeNamed(service.Identity) {
			attribute.Put(rl.Resource().Attributes(), name, v)
		}
		sl := rl.ScopeLogs().AppendEmpty()
		sl.Scope().SetName(metadata.ScopeName)
		sl.Scope().SetVersion(e.version)
		for _, s := range service.Statements {
			fillRecord(sl.LogRecords().AppendEmpty(), s, r.begin, r.end)
		}
	}
	return logs
}

func fillRecord(lr plog.LogRecord, s *statement.Statement, begin, end time.Time) {
	lr.SetEventName(eventStatement)
	lr.SetTimestamp(pcommon.NewTimestampFromTime(end))
	lr.SetObservedTimestamp(pcommon.NewTimestampFromTime(end))
	lr.SetSeverityNumber(plog.SeverityNumberInfo)
	lr.SetTraceID(s.Worst.TraceID)
	lr.SetSpanID(s.Worst.SpanID)
	p95 := s.Durations.Quantile(0.95)
	lr.Body().SetStr(fmt.Sprintf("%s: %d times, %s in total, 95 %% below %s, at most %s, %d failed",
		describe(s), s.Durations.Count(), readable(s.Durations.Sum()), readable(p95), readable(s.Durations.Max()), s.Failed))
	fillStatement(lr.Attributes(), s)
	lr.Attributes().PutDouble(statementPercentile95, p95)
	lr.Attributes().PutDouble(statementInterval, end.Sub(begin).Seconds())
}

func fillStatement(a pcommon.Map, s *statement.Statement) {
	for _, text := range []struct{ name, value string }{
		{"db.system.name", s.System},
		{"db.namespace", s.Namespace},
		{"db.query.summary", s.Summary},
		{"db.query.text", s.Text},
		{schema.ServicePeerName, s.Peer},
		{statementSide, s.Side.String()},
	} {
		if text.value != "" {
			a.PutStr(text.name, text.value)
		}
	}
	a.PutInt(statementRank, int64(s.Rank))
	a.PutInt(statementCount, int64(s.Durations.Count()))
	a.PutInt(statementErrors, int64(s.Failed))
	a.PutDouble(statementTotal, s.Durations.Sum())
	a.PutDouble(statementMax, s.Durations.Max())
	if s.Truncated {
		a.PutEmptySlice(schema.Truncated).AppendEmpty().SetStr("db.query.text")
	}
	if s.Estimated {
		a.PutBool(request.EstimatedName, true)
	}
	if s.Rest {
		a.PutBool(statementRest, true)
	}
}

// maxBodyText is how much of a statement the text of a record repeats; the
// attribute has all of it.
const maxBodyText = 160

func describe(s *statement.Statement) string {
	switch {
	case s.Rest:
		return "all other statements"
	case len(s.Text) > maxBodyText:
		return strings.ToValidUTF8(s.Text[:maxBodyText], "") + "..."
	case s.Text != "":
		return s.Text
	case s.Summary != "":
		return s.Summary
	default:
		return "unknown " + s.System + " statement"
	}
}

// readable rounds a duration in seconds to what a person reads.
func readable(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	default:
		return d.Round(time.Microsecond).String()
	}
}
