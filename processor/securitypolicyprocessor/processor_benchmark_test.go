package securitypolicyprocessor

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/sightglass/sightglass/internal/alloctest"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/processor/securitypolicyprocessor/internal/metadata"
)

// quietBatch has n records of file opens and changes on which no policy fires,
// as a host has them all the time.
func quietBatch(n int) plog.Logs {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(schema.HostName, "node")
	rl.Resource().Attributes().PutStr(schema.ServiceName, "app")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	paths := []string{"/usr/lib/locale/C.utf8/LC_CTYPE", "/proc/self/status", "/srv/data/0001.log", "/etc/ld.so.cache"}
	for i := range n {
		rec := records.AppendEmpty()
		rec.SetEventName(schema.EventFileOpen)
		rec.SetTimestamp(1_700_000_000_000_000_000)
		attrs := rec.Attributes()
		attrs.PutInt(schema.ProcessPID, int64(1000+i))
		attrs.PutStr(schema.ProcessKey, "1000:77000000000")
		attrs.PutInt(schema.ProcessParentPID, 1)
		attrs.PutStr(schema.ProcessParentKey, "1:1")
		attrs.PutStr(schema.ProcessName, "python3")
		attrs.PutStr(schema.ProcessPath, "/usr/bin/python3.13")
		attrs.PutInt(schema.ProcessUserID, 1000)
		attrs.PutStr(schema.ProcessUserName, "app")
		attrs.PutStr(schema.SyscallName, "openat")
		attrs.PutInt(schema.SyscallReturn, 3)
		attrs.PutStr(schema.FilePath, paths[i%len(paths)])
		attrs.PutStr(schema.FileResolvedPath, paths[i%len(paths)])
		attrs.PutStr(schema.FileOperation, "open")
		attrs.PutInt(schema.FileOpenFlags, 0o2000000)
		attrs.PutInt(schema.FileDescriptor, 3)
		attrs.PutStr(schema.FileDescriptorType, "file")
		attrs.PutInt(schema.SyscallArgPrefix+"dirfd", -100)
		attrs.PutStr(schema.SyscallArgPrefix+"name", paths[i%len(paths)])
		attrs.PutInt(schema.SyscallArgPrefix+"flags", 0o2000000)
		attrs.PutInt(schema.SyscallArgPrefix+"mode", 0)
	}
	return ld
}

func embeddedProcessor(tb testing.TB) *policyProcessor {
	tb.Helper()
	p, err := newProcessor(processortest.NewNopSettings(metadata.Type), createDefaultConfig().(*Config), consumertest.NewNop())
	require.NoError(tb, err)
	require.NoError(tb, p.start(tb.Context(), componenttest.NewNopHost()))
	tb.Cleanup(func() { require.NoError(tb, p.shutdown(context.WithoutCancel(tb.Context()))) })
	return p
}

func TestRecordsThatMatchNothingDoNotAllocate(t *testing.T) {
	p := embeddedProcessor(t)
	w := newWorker(p)
	armed, ld := p.armed.Load(), quietBatch(100)
	run := func() {
		if _, some := w.run(armed, ld, time.Now()); some {
			t.Fatal("something matched")
		}
	}
	run()
	require.Zero(t, alloctest.PerRun(50, run))
}

// BenchmarkEvaluate is the cost of one record that matches nothing, with the
// embedded policies.
func BenchmarkEvaluate(b *testing.B) {
	const records = 1000
	p := embeddedProcessor(b)
	w := newWorker(p)
	armed, ld := p.armed.Load(), quietBatch(records)
	b.ReportAllocs()
	for b.Loop() {
		w.run(armed, ld, time.Now())
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
}

// BenchmarkDetect is the cost of one detection, from the record to the record.
func BenchmarkDetect(b *testing.B) {
	const records = 100
	p := embeddedProcessor(b)
	p.limiter = nil
	w := newWorker(p)
	armed, ld := p.armed.Load(), quietBatch(records)
	for _, rec := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		rec.Attributes().PutStr(schema.FilePath, "/etc/shadow")
		rec.Attributes().PutStr(schema.FileResolvedPath, "/etc/shadow")
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, some := w.run(armed, ld, time.Now()); !some {
			b.Fatal("nothing matched")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/detection")
}
