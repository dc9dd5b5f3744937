package securitypolicyprocessor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/reload"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/processor/securitypolicyprocessor/internal/metadata"
)

// statusHost remembers the statuses that the component reports.
type statusHost struct {
	component.Host
	mu  sync.Mutex
	all []componentstatus.Status
}

func (h *statusHost) Report(e *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, e.Status())
}

func (h *statusHost) reported() []componentstatus.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]componentstatus.Status(nil), h.all...)
}

// reloading is a processor whose rule files may change.
type reloading struct {
	t    *testing.T
	dir  string
	host *statusHost
	sink *consumertest.LogsSink
	proc processor.Logs

	interval time.Duration // of looking for changes; 0 the shortest, negative never
}

func startReloading(t *testing.T, patterns ...string) *reloading {
	t.Helper()
	r := &reloading{t: t, dir: t.TempDir(), host: &statusHost{Host: componenttest.NewNopHost()}, sink: new(consumertest.LogsSink)}
	r.write("a.yaml", rule("first", "/etc/shadow"))
	r.start(patterns...)
	return r
}

func (r *reloading) start(patterns ...string) {
	r.t.Helper()
	cfg := testConfig(func(c *Config) {
		c.RulesFiles, c.Keep, c.RateLimit.Burst = nil, nil, 0
		c.ReloadInterval = max(cmp.Or(r.interval, minReloadInterval), 0)
		for _, p := range patterns {
			c.RulesFiles = append(c.RulesFiles, filepath.Join(r.dir, p))
		}
	})
	var err error
	r.proc, err = NewFactory().CreateLogs(r.t.Context(), processortest.NewNopSettings(metadata.Type), cfg, r.sink)
	require.NoError(r.t, err)
	require.NoError(r.t, r.proc.Start(r.t.Context(), r.host))
	r.t.Cleanup(func() { require.NoError(r.t, r.proc.Shutdown(context.WithoutCancel(r.t.Context()))) })
}

func rule(name, path string) string {
	return "- rule: " + name + "\n  desc: x\n  condition: evt.type = openat and fd.name = " + path +
		"\n  output: x\n  priority: ERROR\n"
}

// write replaces a file in one step, as editors and package managers do.
func (r *reloading) write(name, content string) {
	r.t.Helper()
	tmp := filepath.Join(r.dir, ".tmp")
	require.NoError(r.t, os.WriteFile(tmp, []byte(content), 0o600))
	require.NoError(r.t, os.Rename(tmp, filepath.Join(r.dir, name)))
}

// fires is the rule that an open of /etc/shadow makes fire, empty for none.
func (r *reloading) fires() string {
	r.t.Helper()
	r.sink.Reset()
	require.NoError(r.t, r.proc.ConsumeLogs(r.t.Context(), flood(1)))
	if r.sink.LogRecordCount() == 0 {
		return ""
	}
	rec := r.sink.AllLogs()[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	name, _ := rec.Attributes().Get(schema.RuleName)
	return name.Str()
}

func (r *reloading) becomes(want string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return r.fires() == want }, time.Minute, 10*time.Millisecond)
}

func TestReload(t *testing.T) {
	r := startReloading(t, "a.yaml")
	require.Equal(t, "first", r.fires())
	r.write("a.yaml", rule("second", "/etc/shadow"))
	r.becomes("second")
	r.write("a.yaml", rule("third", "/etc/other"))
	r.becomes("")
	require.Empty(t, r.host.reported())
}

func TestReloadFindsNewFilesOfAGlob(t *testing.T) {
	r := startReloading(t, "a.yaml", "b*.yaml")
	r.write("b.yaml", "- rule: first\n  enabled: false\n")
	r.becomes("")
	require.NoError(t, os.Remove(filepath.Join(r.dir, "b.yaml")))
	r.becomes("first")
}

// configMap is a folder as the kubelet mounts a ConfigMap: the files are links
// through ..data, which names the folder of the present version.
type configMap struct {
	t   *testing.T
	dir string
}

func newConfigMap(t *testing.T, files map[string]string) *configMap {
	t.Helper()
	m := &configMap{t, t.TempDir()}
	for name := range files {
		require.NoError(t, os.Symlink(filepath.Join("..data", name), filepath.Join(m.dir, name)))
	}
	m.update("..1", files)
	return m
}

// update writes a version and exchanges the link, as the kubelet does.
func (m *configMap) update(version string, files map[string]string) {
	m.t.Helper()
	require.NoError(m.t, os.Mkdir(filepath.Join(m.dir, version), 0o700))
	for name, content := range files {
		require.NoError(m.t, os.WriteFile(filepath.Join(m.dir, version, name), []byte(content), 0o600))
	}
	require.NoError(m.t, os.Symlink(version, filepath.Join(m.dir, "..data_tmp")))
	require.NoError(m.t, os.Rename(filepath.Join(m.dir, "..data_tmp"), filepath.Join(m.dir, "..data")))
}

func TestReloadOfAConfigMap(t *testing.T) {
	m := newConfigMap(t, map[string]string{"a.yaml": rule("one", "/etc/shadow"), "b.yaml": rule("other", "/x")})
	r := &reloading{t: t, dir: m.dir, host: &statusHost{Host: componenttest.NewNopHost()}, sink: new(consumertest.LogsSink)}
	r.start("*.yaml")
	require.Equal(t, "one", r.fires())
	m.update("..2", map[string]string{"a.yaml": rule("two", "/etc/shadow"), "b.yaml": rule("other", "/y")})
	r.becomes("two")
	m.update("..3", map[string]string{"a.yaml": rule("three", "/etc/shadow"), "b.yaml": "- rule: broken\n"})
	require.Eventually(t, func() bool { return len(r.host.reported()) == 1 }, time.Minute, 10*time.Millisecond)
	require.Equal(t, "two", r.fires(), "one wrong file keeps all others out")
	require.NoError(t, os.RemoveAll(filepath.Join(m.dir, "..2")), "the old version may vanish")
	m.update("..4", map[string]string{"a.yaml": rule("four", "/etc/shadow"), "b.yaml": rule("other", "/y")})
	r.becomes("four")
}

// The files of one version belong together: a macro of the new one must not be
// read with a rule of the old one.
func TestFilesAreReadAtOneMoment(t *testing.T) {
	version := func(n int) map[string]string {
		return map[string]string{"a.yaml": strconv.Itoa(n), "b.yaml": strconv.Itoa(n), "c.yaml": strconv.Itoa(n)}
	}
	m := newConfigMap(t, version(0))
	const versions = 300
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range versions {
			time.Sleep(300 * time.Microsecond)
			m.update("..v"+strconv.Itoa(n+1), version(n+1))
		}
	}()
	files := ruleFiles{patterns: []string{filepath.Join(m.dir, "*.yaml")}}
	together := func(got []policy.File, err error) {
		require.NoError(t, err)
		require.Len(t, got, 3)
		require.Equal(t, string(got[0].Content), string(got[1].Content))
		require.Equal(t, string(got[0].Content), string(got[2].Content))
	}
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		if got, err := files.read(); !errors.Is(err, errUnsteady) { // which a busy machine makes of it
			together(got, err)
		}
	}
	got, err := files.read()
	together(got, err)
	require.Equal(t, strconv.Itoa(versions), string(got[0].Content))
}

// What changes all the time is not used, and not forgotten either: once it stays as
// it is, it gets into force though nobody asks again.
func TestReloadOfWhatChangesAllTheTime(t *testing.T) {
	r := &reloading{t: t, dir: t.TempDir(), host: &statusHost{Host: componenttest.NewNopHost()}, sink: new(consumertest.LogsSink)}
	for n := range 200 { // to read them all takes longer than to exchange one
		r.write(fmt.Sprintf("z%03d.yaml", n), rule("other "+strconv.Itoa(n), "/x"))
	}
	r.write("a.yaml", rule("first", "/etc/shadow"))
	r.interval = -1
	r.start("*.yaml")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				r.write("a.yaml", rule("v"+strconv.Itoa(n), "/etc/shadow"))
			}
		}
	}()
	require.Eventually(t, func() bool {
		reload.Shared().Request()
		return len(r.host.reported()) > 0
	}, time.Minute, 10*time.Millisecond)
	close(stop)
	<-stopped
	r.write("a.yaml", rule("last", "/etc/shadow"))
	r.becomes("last")
}

// Batches that come while rules are exchanged are evaluated once each, by the
// old rules or by the new ones.
func TestReloadEvaluatesEverythingOnce(t *testing.T) {
	r := startReloading(t, "a.yaml")
	const batches, size = 400, 5
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range batches {
			r.write("a.yaml", rule("v"+strconv.Itoa(i), "/etc/shadow"))
			reload.Shared().Request()
		}
	}()
	for range batches {
		require.NoError(t, r.proc.ConsumeLogs(t.Context(), flood(size)))
	}
	<-done
	seen := map[int64]int{}
	for _, ld := range r.sink.AllLogs() {
		for _, rec := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
			pid, _ := rec.Attributes().Get(schema.ProcessPID)
			seen[pid.Int()]++
		}
	}
	want := map[int64]int{}
	for pid := range int64(size) {
		want[pid] = batches
	}
	require.Equal(t, want, seen)
	r.becomes("v" + strconv.Itoa(batches-1))
}

// A request works without waiting for the interval, and with none at all.
func TestReloadOnRequest(t *testing.T) {
	r := &reloading{t: t, dir: t.TempDir(), host: &statusHost{Host: componenttest.NewNopHost()}, sink: new(consumertest.LogsSink)}
	r.write("a.yaml", rule("first", "/etc/shadow"))
	r.interval = -1
	r.start("a.yaml")
	r.write("a.yaml", rule("second", "/etc/shadow"))
	require.Equal(t, "first", r.fires())
	reload.Shared().Request()
	r.becomes("second")
}

func TestErrorsInOneLine(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.yaml")
	p, err := newProcessor(processortest.NewNopSettings(metadata.Type), testConfig(func(c *Config) { c.RulesFiles = []string{path} }), consumertest.NewNop())
	require.NoError(t, err)
	for content, want := range map[string]string{
		"- rule: x\n  desc: x\n  condition: no.such = open\n  output: x\n  priority: ERROR\n": path + `:3:14: rule "x": unknown field no.such (LOAD_ERR_COMPILE_CONDITION)`,
		"- rule: x\n- rule: y\n": path + `:1:3: rule "x": .* \(and 1 more: sightglass policy check shows all\)`,
	} {
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := p.load()
		require.Error(t, err)
		require.NotContains(t, line(err), "\n")
		if !strings.Contains(want, ".*") {
			want = regexp.QuoteMeta(want)
		}
		require.Regexp(t, "^"+want+"$", line(err))
	}
	require.Equal(t, "plain", line(errors.New("plain")))
}

func TestReloadKeepsTheOldRulesWhenTheNewAreWrong(t *testing.T) {
	r := startReloading(t, "a.yaml")
	r.write("a.yaml", "- rule: broken\n")
	require.Eventually(t, func() bool {
		s := r.host.reported()
		return len(s) == 1 && s[0] == componentstatus.StatusRecoverableError
	}, time.Minute, 10*time.Millisecond)
	require.Equal(t, "first", r.fires())

	r.write("a.yaml", rule("mended", "/etc/shadow"))
	r.becomes("mended")
	require.Eventually(t, func() bool { return len(r.host.reported()) == 2 }, time.Minute, 10*time.Millisecond)
	require.Equal(t, componentstatus.StatusOK, r.host.reported()[1])
}

func TestReloadUpdatesTheInterest(t *testing.T) {
	r := startReloading(t, "a.yaml")
	require.Equal(t, []string{"openat"}, interest.Shared().Wanted().Set.Sorted())
	r.write("a.yaml", rule("x", "/x")+"- rule: y\n  desc: y\n  condition: evt.type = ptrace\n  output: y\n  priority: ERROR\n")
	require.Eventually(t, func() bool { return interest.Shared().Wanted().Set.Has("ptrace") }, time.Minute, 10*time.Millisecond)
}

func TestListKeepsTheOrder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"1.yaml", "2.yaml", "z.yaml"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	paths, err := ruleFiles{patterns: []string{at("z.yaml"), at("*.yaml"), at("absent.yaml")}}.list()
	require.NoError(t, err)
	require.Equal(t, []string{at("z.yaml"), at("1.yaml"), at("2.yaml"), at("absent.yaml")}, paths)
}

// Directories are none of the files of a glob: a ConfigMap has its versions in
// some, and "*" finds them.
func TestGlobs(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.Mkdir(at("..2026"), 0o700))
	require.NoError(t, os.Symlink("..2026", at("..data")))
	require.NoError(t, os.WriteFile(at("..2026/a.yaml"), nil, 0o600))
	require.NoError(t, os.Symlink("..data/a.yaml", at("a.yaml")))
	require.NoError(t, os.Symlink("absent", at("b.yaml")))
	files := ruleFiles{patterns: []string{at("*"), at("typo/*.yaml"), at("absent.yaml")}}
	paths, err := files.list()
	require.NoError(t, err)
	require.Equal(t, []string{at("a.yaml"), at("b.yaml"), at("absent.yaml")}, paths)
	require.Equal(t, []string{at("typo/*.yaml")}, files.idle())
}

func TestDomainNamesAreWatched(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.yaml")
	require.NoError(t, os.WriteFile(path, []byte("- rule: x\n  desc: x\n  condition: evt.type = connect and fd.sip.name = 192.0.2.7\n  output: x\n  priority: ERROR\n"), 0o600))
	cfg := testConfig(func(c *Config) { c.RulesFiles = []string{path} })
	p, err := newProcessor(processortest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(t, err)
	require.NoError(t, p.start(t.Context(), componenttest.NewNopHost()))
	t.Cleanup(func() { require.NoError(t, p.shutdown(context.WithoutCancel(t.Context()))) })
	addr := netip.MustParseAddr("192.0.2.7")
	require.Eventually(t, func() bool { return p.names.Has("192.0.2.7", addr) }, time.Minute, time.Millisecond)
}
