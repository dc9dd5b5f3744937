package securitypolicyprocessor

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
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
}

func startReloading(t *testing.T, patterns ...string) *reloading {
	t.Helper()
	r := &reloading{t: t, dir: t.TempDir(), host: &statusHost{Host: componenttest.NewNopHost()}, sink: new(consumertest.LogsSink)}
	r.write("a.yaml", rule("first", "/etc/shadow"))
	cfg := testConfig(func(c *Config) {
		c.RulesFiles, c.ReloadInterval, c.Keep = nil, minReloadInterval, nil
		for _, p := range patterns {
			c.RulesFiles = append(c.RulesFiles, filepath.Join(r.dir, p))
		}
	})
	var err error
	r.proc, err = NewFactory().CreateLogs(t.Context(), processortest.NewNopSettings(metadata.Type), cfg, r.sink)
	require.NoError(t, err)
	require.NoError(t, r.proc.Start(t.Context(), r.host))
	t.Cleanup(func() { require.NoError(t, r.proc.Shutdown(context.WithoutCancel(t.Context()))) })
	return r
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
	require.Eventually(r.t, func() bool { return r.fires() == want }, 20*time.Second, 10*time.Millisecond)
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

func TestReloadFollowsExchangedLinks(t *testing.T) {
	dir := t.TempDir()
	for _, version := range []string{"v1", "v2"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, version, "a.yaml"), []byte(rule(version, "/etc/shadow")), 0o600))
	}
	data := filepath.Join(dir, "..data")
	require.NoError(t, os.Symlink("v1", data))
	require.NoError(t, os.Symlink(filepath.Join("..data", "a.yaml"), filepath.Join(dir, "a.yaml")))

	files := ruleFiles{patterns: []string{filepath.Join(dir, "*.yaml")}}
	before := files.fingerprint()
	require.Equal(t, before, files.fingerprint())
	require.NoError(t, os.Symlink("v2", data+".tmp"))
	require.NoError(t, os.Rename(data+".tmp", data))
	require.NotEqual(t, before, files.fingerprint())
	read, err := files.read()
	require.NoError(t, err)
	require.Contains(t, string(read[0].Content), "rule: v2")
}

func TestReloadKeepsTheOldRulesWhenTheNewAreWrong(t *testing.T) {
	r := startReloading(t, "a.yaml")
	r.write("a.yaml", "- rule: broken\n")
	require.Eventually(t, func() bool {
		s := r.host.reported()
		return len(s) == 1 && s[0] == componentstatus.StatusRecoverableError
	}, 20*time.Second, 10*time.Millisecond)
	require.Equal(t, "first", r.fires())

	r.write("a.yaml", rule("mended", "/etc/shadow"))
	r.becomes("mended")
	require.Eventually(t, func() bool { return len(r.host.reported()) == 2 }, 20*time.Second, 10*time.Millisecond)
	require.Equal(t, componentstatus.StatusOK, r.host.reported()[1])
}

func TestReloadUpdatesTheInterest(t *testing.T) {
	r := startReloading(t, "a.yaml")
	require.Equal(t, []string{"openat"}, interest.Shared().Wanted().Set.Sorted())
	r.write("a.yaml", rule("x", "/x")+"- rule: y\n  desc: y\n  condition: evt.type = ptrace\n  output: y\n  priority: ERROR\n")
	require.Eventually(t, func() bool { return interest.Shared().Wanted().Set.Has("ptrace") }, 20*time.Second, 10*time.Millisecond)
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
	require.Eventually(t, func() bool { return p.names.Has("192.0.2.7", addr) }, 20*time.Second, time.Millisecond)
}
