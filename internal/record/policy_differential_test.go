package record_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/record"
	"github.com/sightglass/sightglass/internal/schema"
)

// disguises are paths and names that rules are about, or nearly.
var disguises = map[string][]string{
	"path": {
		"/etc/shadow", "/etc/shadow.lock", "/etc/sudoers.d/x", "/etc/cron.d/x", "/etc/ld.so.preload", "/etc/systemd/system/x.service",
		"/root/.ssh/authorized_keys", "/root/.bash_history", "/home/a/.ssh/id_rsa", "/home/a/.kube/config", "/usr/bin/x", "/usr/lib/libx.so.1",
		"/boot/x", "/proc/1/environ", "/proc/sysrq-trigger", "/dev/sda1", "/var/log/syslog", "/var/lib/kubelet/pki/k",
		"/run/secrets/kubernetes.io/serviceaccount/token", "/release_agent", "//etc//passwd", "/", "",
	},
	"name":      {"bash", "sh", "cat", "curl", "nginx", "postgres", "dpkg", "useradd", "ssh", "nc", "runc:[2:INIT]", "xmrig", "kubectl"},
	"container": {"host", "0123456789ab"},
}

// disguise makes a record one of somebody else about something else.
func disguise(r *rand.Rand, rec plog.LogRecord) {
	pick := func(kind string) string { return disguises[kind][r.IntN(len(disguises[kind]))] }
	attrs := rec.Attributes()
	for _, name := range []string{schema.FilePath, schema.FileResolvedPath, schema.FilePreviousPath} {
		if _, ok := attrs.Get(name); ok || r.IntN(4) == 0 {
			attrs.PutStr(name, pick("path"))
		}
	}
	attrs.Range(func(name string, v pcommon.Value) bool {
		if strings.HasPrefix(name, "syscall.arg.") && v.Type() == pcommon.ValueTypeStr && strings.HasPrefix(v.Str(), "/") && r.IntN(2) == 0 {
			v.SetStr(pick("path"))
		}
		return true
	})
	if r.IntN(2) == 0 {
		attrs.PutStr(schema.ProcessName, pick("name"))
	}
	if r.IntN(2) == 0 {
		attrs.PutStr(schema.ContainerID, pick("container"))
	}
}

// A rule among many matches what it matches on its own, where there is nothing
// to leave out and nothing to share.
func TestPoliciesMatchTogetherAsAlone(t *testing.T) {
	a := recordedActivity(t)
	sets := ruleSets(t)
	for _, name := range []string{"own", "stock"} {
		if sets[name] == nil {
			continue
		}
		all, res := policy.Load(sets[name], &policy.Options{All: true})
		require.NoError(t, res.Err())
		var alone []*policy.RuleSet
		for _, rule := range all.Rules() {
			if rule.Enabled {
				one, _ := policy.Load(without(sets[name], rule.Name), &policy.Options{Select: []policy.Selection{{Rule: "*"}, {Rule: exactly(rule.Name), Enable: true}}})
				require.Equal(t, 1, one.Len(), rule.Name)
				alone = append(alone, one)
			}
		}
		m, view := all.NewMatcher(), record.New()
		r := rand.New(rand.NewPCG(1, 2))
		fired := map[string]bool{}
		for i, resource := range a.resources {
			view.SetResource(resource)
			for _, original := range a.records[i] {
				rec := plog.NewLogRecord()
				original.CopyTo(rec)
				disguise(r, rec)
				view.SetRecord(rec)
				var together, apart []string
				m.Match(view, func(hit *policy.Match) { together = append(together, hit.Rule.Name) })
				for _, one := range alone {
					one.Match(view, func(hit *policy.Match) { apart = append(apart, hit.Rule.Name) })
				}
				require.Equal(t, apart, together, "%s %v", view.EventType(), rec.Attributes().AsRaw())
				for _, rule := range together {
					fired[rule] = true
				}
			}
		}
		require.Greater(t, len(fired), all.Len()/5, "hardly any rule matched: the comparison says nothing")
	}
}

// without is files with no other rule than that, so that loading a rule takes no longer
// than it must.
func without(files []policy.File, but string) (out []policy.File) {
	item := []byte("\n- ")
	for _, file := range files {
		items := bytes.Split(file.Content, item)
		file.Content = bytes.Join(slices.DeleteFunc(items, func(text []byte) bool {
			name, isRule := bytes.CutPrefix(text, []byte("rule: "))
			name, _, _ = bytes.Cut(name, []byte("\n"))
			return isRule && string(name) != but
		}), item)
		out = append(out, file)
	}
	return out
}

// exactly is a pattern that only one name matches.
func exactly(name string) string {
	return strings.NewReplacer("*", `\*`, "?", `\?`, "[", `\[`).Replace(name) + "*"
}
