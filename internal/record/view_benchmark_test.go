package record

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/alloctest"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/schema"
)

func typicalRecord(tb testing.TB) (pcommon.Resource, plog.LogRecord) {
	tb.Helper()
	res, rec := pcommon.NewResource(), plog.NewLogRecord()
	require.NoError(tb, res.Attributes().FromRaw(map[string]any{
		schema.ContainerID: "0123456789ab", schema.ServiceName: "api", schema.HostName: "n1",
	}))
	require.NoError(tb, rec.Attributes().FromRaw(selfAttrs))
	for i, name := range []string{"fd", "dirfd", "name", "flags", "mode"} {
		rec.Attributes().PutInt(schema.SyscallArgPrefix+name, int64(i))
	}
	rec.Attributes().PutStr(schema.SyscallName, "openat")
	rec.Attributes().PutInt(schema.SyscallReturn, 3)
	rec.Attributes().PutStr(schema.FilePath, "/etc/shadow")
	rec.Attributes().PutStr(schema.FileResolvedPath, "/etc/shadow")
	return res, rec
}

func readAll(v *View, p *field.Process) {
	for _, a := range []field.Attr{field.AttrFilePath, field.AttrProcName, field.AttrContainerID} {
		v.String(a)
	}
	v.Strings(field.AttrAncestors)
	v.Int(field.AttrProcStart)
	v.Ancestor(1, p)
}

func TestReadingDoesNotAllocate(t *testing.T) {
	res, rec := typicalRecord(t)
	v, p := New(), new(field.Process)
	v.SetResource(res)
	v.SetRecord(rec)
	readAll(v, p)
	require.Zero(t, alloctest.PerRun(100, func() {
		v.SetResource(res)
		v.SetRecord(rec)
		readAll(v, p)
	}))
}

func BenchmarkSetRecord(b *testing.B) {
	res, rec := typicalRecord(b)
	v := New()
	v.SetResource(res)
	b.ReportAllocs()
	for b.Loop() {
		v.SetRecord(rec)
	}
}

func BenchmarkRead(b *testing.B) {
	res, rec := typicalRecord(b)
	v, p := New(), new(field.Process)
	v.SetResource(res)
	v.SetRecord(rec)
	b.ReportAllocs()
	for b.Loop() {
		readAll(v, p)
	}
}
