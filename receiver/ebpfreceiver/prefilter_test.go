//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/container"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/record"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
	"github.com/sightglass/sightglass/policies"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// stockRules names the directory with the reference's rule files.
const stockRules = "SIGHTGLASS_FALCO_RULES"

// ruleSets are the sets of rules whose verdicts filtering must not change.
func ruleSets(t *testing.T) map[string]*policy.RuleSet {
	t.Helper()
	sets := map[string]*policy.RuleSet{"policies": load(t, ownPolicies(t)...)}
	if dir := os.Getenv(stockRules); dir != "" {
		stable := ruleFile(t, filepath.Join(dir, "falco_rules.yaml"))
		sets["stable"] = load(t, stable)
		sets["incubating"] = load(t, stable, ruleFile(t, filepath.Join(dir, "falco-incubating_rules.yaml")))
	}
	return sets
}

func ownPolicies(t *testing.T) []policy.File {
	t.Helper()
	files, err := policies.Files()
	require.NoError(t, err)
	var out []policy.File
	for _, f := range files {
		out = append(out, policy.File{Name: f.Name, Content: f.Content})
	}
	return out
}

func ruleFile(t *testing.T, path string) policy.File {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return policy.File{Name: path, Content: text}
}

// load loads rules with every one of them enabled, and all matches.
func load(t *testing.T, files ...policy.File) *policy.RuleSet {
	t.Helper()
	set, res := policy.Load(files, &policy.Options{All: true, Select: []policy.Selection{{Enable: true, Rule: "*"}}})
	require.NotNil(t, set, res)
	return set
}

// needed is what a set of rules wants, ready for events.
func needed(set *policy.RuleSet) *wanted {
	var wants interest.Set
	for _, name := range set.EventTypes() {
		wants = wants.With(name, set.Needs(name))
	}
	return newWanted(interest.Wanted{Set: wants, Registered: true})
}

var tool = &process.Process{Key: keySh, Name: "tool", Path: "/usr/bin/tool"}

// told is the log record of a call, as policies get it.
func told(build *translate.Logs, ev *event.Event) plog.Logs {
	build.Append(&translate.Activity{
		Owner: translate.Owner{
			Process: tool,
			Cgroup:  &container.Info{State: container.Host, Path: "/"},
		},
		Event: ev, Name: translate.SyscallEventName(&ev.Syscall), Arguments: true, Full: true,
	}, 0, time.Now())
	return build.Take()
}

// recordMatches are the names of the rules that records match.
func recordMatches(view *record.View, set *policy.RuleSet, ld plog.Logs) []string {
	var names []string
	for _, rl := range ld.ResourceLogs().All() {
		view.SetResource(rl.Resource())
		for _, sl := range rl.ScopeLogs().All() {
			for _, rec := range sl.LogRecords().All() {
				view.SetRecord(rec)
				set.Match(view, func(m *policy.Match) { names = append(names, m.Rule.Name) })
			}
		}
	}
	return names
}

// TestFilterKeepsVerdictsOfRandomCalls holds rules made at random against calls
// made at random: no call that the filter leaves out may match.
func TestFilterKeepsVerdictsOfRandomCalls(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	sets := ruleSets(t)
	for i := range 300 {
		sets[fmt.Sprintf("random %d", i)] = load(t, policy.File{Name: "random.yaml", Content: randomRule(r)})
	}
	build, view := translate.NewLogs(translate.Host{}, ""), record.New()
	calls := make([]*event.Event, 1000)
	records := make([]plog.Logs, len(calls))
	for i := range calls {
		calls[i] = randomCall(r)
		records[i] = told(build, calls[i])
	}
	matched, left := 0, 0
	for name, set := range sets {
		w := needed(set)
		for i, ev := range calls {
			wants := w.rows[ev.Syscall.Index].wants(&ev.Syscall, tool)
			hits := recordMatches(view, set, records[i])
			require.True(t, wants || len(hits) == 0, "%s: %v matches what is left out: %v\n%v", name, hits, ev.Syscall, set.Rules()[0].Condition)
			if !wants {
				left++
			}
			if len(hits) > 0 {
				matched++
			}
		}
	}
	require.Greater(t, matched, 10000, "conditions must be true at times")
	require.Greater(t, left, 10000, "and calls left out")
}

func one[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// randomRule is a rule over the fields that the filter looks at, and some that
// it does not.
func randomRule(r *rand.Rand) []byte {
	return fmt.Appendf(nil, "- rule: r\n  desc: x\n  priority: notice\n  output: x\n  warn_evttypes: false\n  condition: >\n    (%s and %s)\n",
		randomCondition(r, 3), randomCondition(r, 2))
}

func randomCondition(r *rand.Rand, depth int) string {
	if depth == 0 || r.IntN(5) == 0 {
		return randomTest(r)
	}
	switch r.IntN(6) {
	case 0:
		return "not (" + randomCondition(r, depth-1) + ")"
	case 1:
		return "(" + randomCondition(r, depth-1) + " or " + randomCondition(r, depth-1) + ")"
	default:
		return "(" + randomCondition(r, depth-1) + " and " + randomCondition(r, depth-1) + ")"
	}
}

var somePaths = []string{
	"/etc/shadow", "/etc/", "/etc", "/root/.ssh/id", "/", "/tmp/a", "/home/u/.x", "/usr/bin/", "/x/../etc/shadow", "/etc//shadow",
	"/etc/./shadow", "/etc/shadow/", "shadow", "../etc/shadow", "./a", "..", ".", "a./b", "/tmp/", "/\xc3\xa9/x", "/\xff/x", "/etc/sh",
}

func randomTest(r *rand.Rand) string {
	path := func() string { return "\"" + one(r, somePaths[:20]...) + "\"" }
	switch r.IntN(10) {
	case 0:
		return "evt.rawres " + one(r, "=", "!=", "<", "<=", ">", ">=") + " " + one(r, "-2", "-1", "0", "1", "3")
	case 1:
		return "evt.rawres in (" + one(r, "-2", "-1", "0", "3") + ", " + one(r, "-13", "0", "4") + ")"
	case 2:
		return one(r, "evt.failed", "evt.is_open_read", "evt.is_open_write") + one(r, " = ", " != ") + one(r, "true", "false")
	case 3:
		return "evt.res " + one(r, "= SUCCESS", "!= SUCCESS", "= ENOENT", "in (EPERM, ENOENT)", "in (SUCCESS, EPERM)")
	case 4:
		return "evt.type " + one(r, "= open", "in (open, openat, openat2)", "!= creat", "= unlink", "in (unlink, creat)")
	case 5:
		return "proc.name " + one(r, "= tool", "= other", "startswith to", "in (tool, other)", "!= tool", "glob t?ol", "in (to, tools)")
	case 6:
		return randomSocketTest(r)
	}
	field := one(r, "fd.name", "fs.path.name", "fd.directory", "fd.nameraw", "fs.path.nameraw", "fs.path.resolved", "fd.filename", "evt.arg.name")
	switch r.IntN(6) {
	case 0:
		return field + " in (" + path() + ", " + path() + ")"
	case 1:
		return field + " pmatch (" + path() + ", \"/ho*/u\", \"etc//\")"
	case 2:
		return field + " glob " + one(r, "\"/etc/*\"", "\"/root/.ss?/*\"", "\"*/id\"", "\"/etc/shadow\"", "\"/[ex]*\"")
	case 3:
		return field + " contains " + one(r, "\"../\"", "\"shadow\"", "\"./\"", "\"//\"")
	case 4:
		return field + one(r, " startswith ", " = ", " != ", " endswith ") + path()
	default:
		return field + one(r, " = anyof ", " startswith oneof ", " = allof ", " startswith anyof ") + "(" + path() + ", " + path() + ")"
	}
}

// randomSocketTest is about the socket of a call.
func randomSocketTest(r *rand.Rand) string {
	is := one(r, " = ", " != ")
	switch r.IntN(6) {
	case 0:
		return "fd.typechar" + is + one(r, "4", "6", "u", "f")
	case 1:
		return "fd.type " + one(r, "in (ipv4, ipv6)", "= unix", "!= unix", "in (file, unix)", "startswith ip")
	case 2:
		return "fd.l4proto" + is + one(r, "tcp", "udp", "\"<NA>\"")
	case 3:
		return "fd.sockfamily" + is + one(r, "ip", "unix")
	case 4:
		return "evt.type " + one(r, "in (sendto, sendmsg)", "= connect", "!= recvfrom")
	default:
		return one(r, "fd.connected", "fd.name_changed") + is + one(r, "true", "false")
	}
}

// randomSocket is a socket as the kernel tells it, or none.
func randomSocket(r *rand.Rand) event.Socket {
	s := event.Socket{Family: one[uint16](r, 0, unix.AF_UNIX, unix.AF_INET, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK)}
	s.Type = one[uint16](r, unix.SOCK_STREAM, unix.SOCK_DGRAM, unix.SOCK_RAW)
	switch s.Family {
	case unix.AF_UNIX:
		s.PeerPath = []byte(one(r, "", "/run/x", "\x00name"))
	case unix.AF_INET, unix.AF_INET6:
		s.Protocol = one[uint16](r, unix.IPPROTO_TCP, unix.IPPROTO_UDP, unix.IPPROTO_ICMP)
		s.LocalPort, s.PeerPort = one[uint16](r, 0, 80, 40000), one[uint16](r, 0, 0, 53, 443)
		s.LocalAddr[0], s.PeerAddr[0] = one[byte](r, 0, 10), one[byte](r, 0, 0, 9, 127)
	}
	return s
}

// randomCall is a call that opens a file or is about a socket, or one of two
// that do neither.
func randomCall(r *rand.Rand) *event.Event {
	name := one(r, "open", "open", "openat", "openat", "openat2", "creat", "unlink", "connect", "sendto", "sendmsg", "recvfrom")
	row, _ := syscalls.Index(name)
	ev := &event.Event{Header: event.Header{Type: event.TypeSyscall, Key: keySh, TID: 7}}
	s := &ev.Syscall
	s.Index, s.NumArgs = uint16(row), len(syscalls.Table[row].Args)
	s.Return = one[int64](r, 0, 1, 3, -1, -2, -13)
	s.Cwd = []byte(one(r, "/", "/etc", "/tmp", "/root/.ssh", "", "memfd:x"))
	spec := s.Spec()
	for i, a := range spec.Args {
		arg := &s.Args[i]
		switch {
		case a.Kind == syscalls.KindPath:
			arg.Bytes = []byte(one(r, somePaths...) + one(r, "", "", "", "/", "x", "/id"))
			arg.Flags = one(r, event.ArgFlags(0), 0, 0, 0, event.ArgUnreadable)
			if arg.Flags != 0 {
				arg.Bytes = nil
			}
		case a.Kind == syscalls.KindDirFD:
			arg.Number, arg.Path = uint64(one(r, 5, uint32(unix.AT_FDCWD&0xffffffff))), []byte(one(r, "/etc", "/", "/home/u"))
		case a.Kind == syscalls.KindOpenHow:
			arg.Words[0] = uint64(one(r, 0, 1, 2, 3, 0x41))
			arg.Flags = one(r, event.ArgFlags(0), 0, event.ArgUnreadable)
		case a.Name == "flags":
			arg.Number = uint64(one(r, 0, 1, 2, 3, 0x41, 0x10000))
		case a.Kind == syscalls.KindFD && i == 0:
			arg.Number, arg.Socket = 5, randomSocket(r)
		case a.Kind == syscalls.KindSockaddr, a.Kind == syscalls.KindSockaddrFrom, a.Kind == syscalls.KindMessage:
			if arg.Socket = randomSocket(r); r.IntN(2) == 0 {
				arg.Socket = event.Socket{}
			}
			arg.Socket.Type, arg.Socket.Protocol = 0, 0
		}
	}
	if s.Return >= 0 && spec.Result == syscalls.ResultFile {
		s.Result.Path = []byte(one(r, "/etc/shadow", "/etc/x", "/tmp/a", "/root/.ssh/id", "pipe:", "", "/home/u/\xff", "/"))
		s.Result.File.Inode = 7
	}
	return ev
}

// TestFilterKeepsVerdictsOfRecordings holds the rules against what package
// installations, containers, databases and builds do.
func TestFilterKeepsVerdictsOfRecordings(t *testing.T) {
	recordings, err := filepath.Glob(filepath.Join("..", "..", "policies", "testdata", "noise", "*.json.gz"))
	require.NoError(t, err)
	require.NotEmpty(t, recordings)
	view := record.New()
	for name, set := range ruleSets(t) {
		w := needed(set)
		opens, left := 0, 0
		for _, path := range recordings {
			for _, ld := range recordedLogs(t, path) {
				hits := recordMatches(view, set, ld)
				s, program, ok := recordedCall(t, view)
				if !ok {
					continue
				}
				wants := w.rows[s.Index].wants(s, program)
				require.True(t, wants || len(hits) == 0, "%s: %v of %s matches what is left out: %v", name, hits, path, view.Record().Attributes().AsRaw())
				if strings.HasPrefix(s.Name(), "open") {
					opens++
					if !wants {
						left++
					}
				}
			}
		}
		t.Logf("%s: %d of %d opened files are left out", name, left, opens)
		require.Greater(t, 3*left, opens, "the filter must be worth its name")
	}
}

// recordedLogs reads a recording, one record each.
func recordedLogs(t *testing.T, path string) []plog.Logs {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	require.NoError(t, err)
	var out []plog.Logs
	for lines := bufio.NewReader(unzipped); ; {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err)
		all, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(line)
		require.NoError(t, err)
		for _, rl := range all.ResourceLogs().All() {
			for _, rec := range rl.ScopeLogs().At(0).LogRecords().All() {
				ld := plog.NewLogs()
				to := ld.ResourceLogs().AppendEmpty()
				rl.Resource().CopyTo(to.Resource())
				rec.CopyTo(to.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty())
				out = append(out, ld)
			}
		}
	}
}

// recordedCall is the call that the view's record tells of, as far as the
// filter looks at it.
func recordedCall(t *testing.T, view *record.View) (*event.Syscall, *process.Process, bool) {
	t.Helper()
	attrs := view.Record().Attributes()
	text := func(key string) []byte {
		if v, ok := attrs.Get(key); ok {
			return []byte(v.AsString())
		}
		return nil
	}
	number := func(key string) uint64 {
		v, ok := attrs.Get(key)
		if !ok {
			return 0
		}
		return uint64(v.Int())
	}
	row, ok := syscalls.Index(string(text(schema.SyscallName)))
	if !ok || view.EventType() == "execve" && int64(number(schema.SyscallReturn)) >= 0 {
		return nil, nil, false
	}
	s := &event.Syscall{Index: uint16(row), NumArgs: len(syscalls.Table[row].Args), Return: int64(number(schema.SyscallReturn))}
	s.Result.Path = text(schema.FileResolvedPath)
	for i, a := range s.Spec().Args {
		key := schema.SyscallArgPrefix + a.Name
		switch a.Kind {
		case syscalls.KindPath:
			s.Args[i].Bytes = text(key)
			if base := text(schema.FileBasePath); i > 0 && len(base) > 0 {
				s.Args[i-1].Path = base
			}
		case syscalls.KindOpenHow:
			s.Args[i].Words[0] = number(schema.FileOpenFlags)
		default:
			if v, ok := attrs.Get(key); ok && v.Type() == pcommon.ValueTypeInt {
				s.Args[i].Number = uint64(v.Int())
			}
		}
	}
	return s, &process.Process{Name: string(text(schema.ProcessName))}, true
}
