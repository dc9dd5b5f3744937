package translate

import (
	"strings"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/sealed"
)

// Activity is one event to be told, with everything that is known about it.
type Activity struct {
	Owner
	// Event is read only until Append returns.
	Event *event.Event
	// Name is the record's event name, one of schema's.
	Name string
	// Ancestors begin with the parent. Records of execs name them all, others
	// only when Full is set.
	Ancestors []*process.Process
	// User, RealUser, LoginUser and Group are names; empty when unknown.
	User, LoginUser, Group process.User
	// Full writes what a policy processor in this program would look up in the
	// process table: set it when there is none.
	Full bool
	// Arguments writes each argument of a system call and what else only
	// policies ask for.
	Arguments bool
	// Account writes the home directory and the shell of User.
	Account bool
	// Mounts writes what the container has of the host; those of the first
	// activity of a resource in a batch count.
	Mounts bool
	// Directory writes in which directory the process is when it has moved since
	// its last exec.
	Directory bool
	// Replaced is the program that the process had executed before this one; empty
	// for none.
	Replaced string
	// StdinFrom and StdoutTo are the programs at the other ends of the pipelines
	// that a program was started with, ScriptFrom are those whose output it
	// runs, and ScriptTo is the one that was started before to run what it
	// writes; empty for none.
	StdinFrom, StdoutTo, ScriptTo string
	ScriptFrom                    []string
	// Resolved are the real paths of what the call names, in the order of Names;
	// empty where that is not known.
	Resolved [MaxNames][]byte
	// Redact masks secrets in command lines and in the arguments of calls.
	Redact bool
	// Seal keeps what Redact masks for the policies of this program.
	Seal bool
}

// maxAttributes is what a record rarely exceeds; so much is reserved at once.
const maxAttributes = 28

// Logs collects activities into batches. One goroutine at a time.
type Logs struct {
	host      Host
	version   string
	texts     *interner
	batch     plog.Logs
	resources map[resourceKey]plog.LogRecordSlice
	n         int
	buf       []byte
	cut, late []string    // attributes of the present record
	self      process.Key // who the present record is about
	sealed    pcommon.Map // what was masked in it
	isSealed  bool
	peers     peers
}

// NewLogs returns a builder. version is that of the instrumentation scope.
func NewLogs(host Host, version string) *Logs {
	l := &Logs{host: host, version: version, texts: newInterner()}
	l.reset()
	return l
}

func (l *Logs) reset() {
	l.batch = plog.NewLogs()
	l.resources = make(map[resourceKey]plog.LogRecordSlice)
	l.n = 0
}

// Len is the number of records since Take.
func (l *Logs) Len() int { return l.n }

// Take hands out the batch, which then belongs to the caller.
func (l *Logs) Take() plog.Logs {
	batch := l.batch
	l.reset()
	return batch
}

// Append adds the record of an activity. wallOffset, in ns, turns a time since
// boot into wall-clock time; observed is when the event was read.
func (l *Logs) Append(a *Activity, wallOffset int64, observed time.Time) {
	rec := l.records(a).AppendEmpty()
	l.n++
	rec.SetEventName(a.Name)
	rec.SetTimestamp(pcommon.Timestamp(int64(a.Event.Time) + wallOffset))
	rec.SetObservedTimestamp(pcommon.NewTimestampFromTime(observed))
	attrs := rec.Attributes()
	attrs.EnsureCapacity(maxAttributes)
	l.cut, l.late, l.isSealed = l.cut[:0], l.late[:0], false

	l.self = a.Event.Key
	l.actor(attrs, a)
	switch a.Event.Type {
	case event.TypeExec:
		l.program(attrs, a)
		l.ancestry(attrs, a)
	case event.TypeExit:
		l.exit(attrs, a)
	case event.TypeSyscall:
		l.syscall(attrs, a)
		if a.Full {
			l.command(attrs, a)
			l.identity(attrs, a.Process)
			l.ancestry(attrs, a)
		}
	case event.TypeFork, event.TypeProcess, event.TypeCgroupMkdir, event.TypeCgroupRmdir,
		event.TypeData, event.TypeSocketClose:
	}
	putList(attrs, schema.Truncated, l.cut)
	putList(attrs, schema.Late, l.late)
	if l.isSealed {
		attrs.PutInt(schema.Sealed, sealed.Shared().Seal(l.sealed, observed))
	}
	if a.Event.Flags&event.FlagSelf != 0 {
		attrs.PutBool(schema.Self, true)
	}
}

// records finds or makes the resource of an activity.
func (l *Logs) records(a *Activity) plog.LogRecordSlice {
	k := a.key()
	if s, ok := l.resources[k]; ok {
		return s
	}
	rl := l.batch.ResourceLogs().AppendEmpty()
	l.host.fill(rl.Resource().Attributes(), a.Owner)
	if a.Mounts {
		shares(rl.Resource().Attributes(), a.Cgroup)
	}
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(schema.ScopeName)
	sl.Scope().SetVersion(l.version)
	l.resources[k] = sl.LogRecords()
	return sl.LogRecords()
}

func putList(attrs pcommon.Map, key string, values []string) {
	if len(values) > 0 {
		putTexts(attrs, key, values)
	}
}

func putTexts(attrs pcommon.Map, key string, values []string) {
	s := attrs.PutEmptySlice(key)
	s.EnsureCapacity(len(values))
	for _, v := range values {
		s.AppendEmpty().SetStr(valid(v))
	}
}

// valid is s with what is not UTF-8 replaced. Names and arguments are any bytes
// to the kernel, but a text of OTLP that is not UTF-8 makes a back end refuse
// the whole batch. It costs no allocation when there is nothing to replace.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// interner gives equal texts one string, so that paths and names that come
// again and again cost no allocation. Texts are valid UTF-8; the keys are the
// bytes as they came. A full one is emptied.
type interner struct{ texts map[string]string }

const (
	maxTexts     = 8192
	maxTextBytes = 256
)

func newInterner() *interner { return &interner{texts: make(map[string]string)} }

func (i *interner) text(b []byte) string {
	if len(b) > maxTextBytes {
		return valid(string(b))
	}
	if s, ok := i.texts[string(b)]; ok {
		return s
	}
	if len(i.texts) >= maxTexts {
		clear(i.texts)
	}
	raw := string(b)
	s := valid(raw)
	i.texts[raw] = s
	return s
}
