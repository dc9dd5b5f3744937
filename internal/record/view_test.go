package record

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/schema"
)

// view makes a View of one record.
func view(t *testing.T, event string, resource, attrs map[string]any) *View {
	t.Helper()
	res, rec := pcommon.NewResource(), plog.NewLogRecord()
	require.NoError(t, res.Attributes().FromRaw(resource))
	require.NoError(t, rec.Attributes().FromRaw(attrs))
	rec.SetEventName(event)
	v := New()
	v.SetResource(res)
	v.SetRecord(rec)
	return v
}

func TestEveryKnownNameHasItsOwnSlot(t *testing.T) {
	for a := range field.NumAttrs() {
		require.Equal(t, a, known.find(field.Attr(a).Name()))
	}
	for i, name := range ownNames {
		require.Equal(t, slotOf(i), known.find(name))
	}
	for _, name := range []string{"", "x", "process", "process.pi", "process.pid2", "syscall.arg.", "syscall.arg.unheard_of"} {
		require.Equal(t, -1, known.find(name), name)
	}
}

func TestIndexHasShortProbes(t *testing.T) {
	for a := range field.NumAttrs() {
		name := field.Attr(a).Name()
		probes := 1
		for i := hash(name) & known.mask; known.cells[i].name != name; i = (i + 1) & known.mask {
			probes++
		}
		require.LessOrEqual(t, probes, 4, name)
	}
}

func TestValuesByKind(t *testing.T) {
	v := view(t, schema.EventFileOpen, nil, map[string]any{
		schema.FilePath:                     "/etc/passwd",
		schema.ProcessPID:                   int64(7),
		schema.ProcessMemfd:                 true,
		schema.ProcessUpperLayer:            false,
		schema.ProcessAncestors:             []any{"bash", "sshd", int64(3)},
		schema.ProcessCreationTime:          "2026-01-02T03:04:05.000000006Z",
		schema.SyscallArgPrefix + "data":    []byte{0xff, 'a'},
		schema.SyscallArgPrefix + "flags":   int64(1),
		schema.SyscallArgPrefix + "unheard": "ignored",
		schema.ProcessUserName:              "",
	})

	s, ok := v.String(field.AttrFilePath)
	require.True(t, ok)
	require.Equal(t, "/etc/passwd", s)
	s, ok = v.String(field.AttrUserName)
	require.True(t, ok, "an empty text is a value")
	require.Empty(t, s)
	_, ok = v.String(field.AttrPID)
	require.False(t, ok, "a number is not a text")
	_, ok = v.String(field.AttrFileRaw)
	require.False(t, ok)

	n, ok := v.Int(field.AttrPID)
	require.True(t, ok)
	require.EqualValues(t, 7, n)
	n, ok = v.Int(field.AttrExeMemfd)
	require.True(t, ok)
	require.EqualValues(t, 1, n)
	n, ok = v.Int(field.AttrExeUpper)
	require.True(t, ok)
	require.Zero(t, n)
	_, ok = v.Int(field.AttrFilePath)
	require.False(t, ok, "a text is not a number")
	_, ok = v.Int(field.AttrAncestors)
	require.False(t, ok)
	n, ok = v.Int(field.AttrProcStart)
	require.True(t, ok)
	require.Equal(t, time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC).UnixNano(), n)

	l, ok := v.Strings(field.AttrAncestors)
	require.True(t, ok)
	require.Equal(t, []string{"bash", "sshd", "3"}, l)
	_, ok = v.Strings(field.AttrFilePath)
	require.False(t, ok)

	data, _ := field.ArgAttr("data")
	s, ok = v.String(data)
	require.True(t, ok)
	require.Equal(t, "\xffa", s)
	flags, _ := field.ArgAttr("flags")
	n, ok = v.Int(flags)
	require.True(t, ok)
	require.EqualValues(t, 1, n)
}

func TestBadTimeHasNoValue(t *testing.T) {
	v := view(t, "", nil, map[string]any{schema.ProcessCreationTime: "yesterday"})
	_, ok := v.Int(field.AttrProcStart)
	require.False(t, ok)
}

func TestRecordWinsOverResource(t *testing.T) {
	v := view(t, "", map[string]any{schema.ContainerID: "res", schema.ServiceName: "api", "k8s.pod.label.app": "web"},
		map[string]any{schema.ContainerID: "rec"})
	s, _ := v.String(field.AttrContainerID)
	require.Equal(t, "rec", s)
	s, _ = v.String(field.AttrServiceName)
	require.Equal(t, "api", s)

	s, ok := v.Named("k8s.pod.label.app")
	require.True(t, ok)
	require.Equal(t, "web", s)
	s, ok = v.Named(schema.ContainerID)
	require.True(t, ok)
	require.Equal(t, "rec", s)
	_, ok = v.Named("absent")
	require.False(t, ok)
}

func TestNothingIsLeftFromTheRecordBefore(t *testing.T) {
	v := view(t, "", map[string]any{schema.ContainerID: "one"}, map[string]any{
		schema.FilePath: "/a", schema.ProcessAncestors: []any{"x"},
	})
	_, _ = v.Strings(field.AttrAncestors)
	v.SetRecord(plog.NewLogRecord())
	_, ok := v.String(field.AttrFilePath)
	require.False(t, ok)
	_, ok = v.Strings(field.AttrAncestors)
	require.False(t, ok)
	_, ok = v.String(field.AttrContainerID)
	require.True(t, ok, "the resource stays")
	v.SetResource(pcommon.NewResource())
	_, ok = v.String(field.AttrContainerID)
	require.False(t, ok)
}

func TestStampsWrapAround(t *testing.T) {
	v := view(t, "", nil, map[string]any{schema.FilePath: "/a"})
	v.recStamp = ^uint32(0)
	v.SetRecord(plog.NewLogRecord())
	require.EqualValues(t, 1, v.recStamp)
	_, ok := v.String(field.AttrFilePath)
	require.False(t, ok)
}

func TestUnsetViewHasNoValues(t *testing.T) {
	v := New()
	_, ok := v.String(field.AttrFilePath)
	require.False(t, ok)
	_, ok = v.Named(schema.FilePath)
	require.False(t, ok)
	require.Zero(t, v.Time())
}

func TestEventType(t *testing.T) {
	for _, c := range []struct {
		event, call string
		ret         any
		want        string
	}{
		{schema.EventFileOpen, "openat", int64(3), "openat"},
		{schema.EventSyscall, "ptrace", int64(0), "ptrace"},
		{schema.EventProcessExec, "execve", int64(0), "execve"},
		{schema.EventProcessExec, "execveat", int64(0), "execve"},
		{schema.EventProcessExec, "execveat", nil, "execve"},
		{schema.EventProcessExec, "execveat", int64(-2), "execveat"},
		{schema.EventProcessExec, "", nil, "execve"},
		{schema.EventProcessExit, "", nil, "procexit"},
		{schema.EventNetworkConnect, "", nil, "connect"},
		{schema.EventNetworkAccept, "", nil, "accept"},
		{schema.EventNetworkAccept, "accept4", int64(3), "accept4"},
		{schema.EventNetworkListen, "", nil, "listen"},
		{schema.EventLoginStart, "execve", int64(0), ""},
		{schema.EventLoginEnd, "", nil, ""},
		{schema.EventFileOpen, "", nil, ""},
		{"", "", nil, ""},
	} {
		attrs := map[string]any{}
		if c.call != "" {
			attrs[schema.SyscallName] = c.call
		}
		if c.ret != nil {
			attrs[schema.SyscallReturn] = c.ret
		}
		require.Equal(t, c.want, view(t, c.event, nil, attrs).EventType(), "%v", c)
	}
}

func TestExecHasAResult(t *testing.T) {
	n, ok := view(t, schema.EventProcessExec, nil, nil).Int(field.AttrSyscallReturn)
	require.True(t, ok)
	require.Zero(t, n)
	n, _ = view(t, schema.EventProcessExec, nil, map[string]any{schema.SyscallReturn: int64(-2)}).Int(field.AttrSyscallReturn)
	require.EqualValues(t, -2, n)
	_, ok = view(t, schema.EventProcessExit, nil, nil).Int(field.AttrSyscallReturn)
	require.False(t, ok)
}

func TestSelf(t *testing.T) {
	require.True(t, view(t, "", nil, map[string]any{schema.Self: true}).Self())
	require.False(t, view(t, "", nil, map[string]any{schema.Self: false}).Self())
	require.False(t, view(t, "", nil, map[string]any{schema.Self: "true"}).Self())
	require.False(t, view(t, "", nil, nil).Self())
}

func TestTimePrefersTheEvents(t *testing.T) {
	v := view(t, "", nil, nil)
	v.Record().SetObservedTimestamp(5)
	require.EqualValues(t, 5, v.Time())
	v.Record().SetTimestamp(3)
	require.EqualValues(t, 3, v.Time())
	require.Zero(t, v.Resource().Attributes().Len())
}

func TestListsStayValidWhileOthersAreRead(t *testing.T) {
	attrs := map[string]any{}
	var lists []field.Attr
	for a := range field.NumAttrs() {
		if field.Attr(a).Form() != field.FormList {
			continue
		}
		var items []any
		for i := range 40 {
			items = append(items, fmt.Sprint(a, "/", i))
		}
		attrs[field.Attr(a).Name()] = items
		lists = append(lists, field.Attr(a))
	}
	v := view(t, "", nil, attrs)
	got := map[field.Attr][]string{}
	for _, a := range lists {
		got[a], _ = v.Strings(a)
	}
	for _, a := range lists {
		require.Len(t, got[a], 40)
		require.Equal(t, fmt.Sprint(int(a), "/", 39), got[a][39])
		again, _ := v.Strings(a)
		require.Same(t, &got[a][0], &again[0], "converted once per record")
	}
}

func TestWithPrefix(t *testing.T) {
	rl := plog.NewResourceLogs()
	rl.Resource().Attributes().PutStr("container.label.app", "web")
	rl.Resource().Attributes().PutStr("container.label.tier", "front")
	rl.Resource().Attributes().PutInt("container.label.size", 3)
	rl.Resource().Attributes().PutStr("container.name", "x")
	rec := rl.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	rec.Attributes().PutStr("container.label.app", "newer")
	v := New()
	v.SetResource(rl.Resource())
	v.SetRecord(rec)
	var got []string
	v.WithPrefix("container.label.", func(name, value string) { got = append(got, name+"="+value) })
	require.Equal(t, []string{"container.label.app=newer", "container.label.app=web", "container.label.tier=front"}, got)
}
