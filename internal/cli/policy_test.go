package cli

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/sightglass/sightglass/internal/schema"
)

const shadowRule = `- list: secrets
  items: [/etc/shadow]

- rule: Secret read
  desc: somebody read a secret
  condition: evt.type in (open, openat) and fd.name in (secrets)
  output: secret read (file=%fd.name command=%proc.cmdline)
  priority: WARNING
  tags: [file]
`

// policyCommand runs "policy ARGS..." and returns what it wrote.
func policyCommand(t *testing.T, stdin string, args ...string) (out, notes string, err error) {
	t.Helper()
	cmd := newPolicyCommand()
	var stdout, stderr bytes.Buffer
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(t.Context())
	return stdout.String(), stderr.String(), err
}

func ruleFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "own.yaml")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestPolicyAloneShowsItsCommands(t *testing.T) {
	out, _, err := policyCommand(t, "")
	require.NoError(t, err)
	for _, name := range []string{"check", "list", "replay", "eval", "parse"} {
		require.Contains(t, out, "\n  "+name+" ")
	}
	_, _, err = policyCommand(t, "", "nonsense")
	require.Error(t, err)
}

func TestPolicyCheckFindsNothing(t *testing.T) {
	out, _, err := policyCommand(t, "", "check", ruleFile(t, shadowRule))
	require.NoError(t, err)
	require.Equal(t, "1 file: 0 errors, 0 warnings, 1 rule\n", out)
}

func TestPolicyCheckShowsThePlace(t *testing.T) {
	path := ruleFile(t, strings.Replace(shadowRule, "fd.name in", "fd.nam in", 1))
	out, _, err := policyCommand(t, "", "check", path)
	require.ErrorIs(t, err, errRules)
	require.Contains(t, out, "error: "+path+":6:")
	require.Contains(t, out, `rule "Secret read"`)
	require.Contains(t, out, "fd.nam")
	require.Regexp(t, `(?m)^ +\^$`, out)
	require.Contains(t, out, "1 file: 1 error, ")
}

func TestPolicyCheckShowsWarningsAndWhatIsNotCaptured(t *testing.T) {
	out, _, err := policyCommand(t, "", "check", ruleFile(t,
		shadowRule+"\n- list: idle\n  items: [x]\n\n- rule: Swap\n  desc: x\n  condition: evt.type = swapon\n  output: x\n  priority: DEBUG\n"))
	require.NoError(t, err)
	require.Contains(t, out, "warning: ")
	require.Contains(t, out, "LOAD_UNUSED_LIST")
	require.Contains(t, out, `rule "Swap" names event types that this version does not capture: swapon`)
	require.Contains(t, out, "1 file: 0 errors, 1 warning, 2 rules\n")
}

func TestPolicyCheckTellsWhatIsDefinedAgain(t *testing.T) {
	first := ruleFile(t, shadowRule)
	again := ruleFile(t, shadowRule+"\n- list: secrets\n  items: [/etc/gshadow]\n\n- list: secrets\n  items: [/etc/motd]\n  override: {items: append}\n")
	out, _, err := policyCommand(t, "", "check", first, again)
	require.NoError(t, err)
	require.Contains(t, out, "note: "+again+" defines again what was defined before; the last definition holds for the rules of all files:\n"+
		"  rule \"Secret read\" in line 4, before in "+first+":4\n"+
		"  list \"secrets\" in line 11, before in "+again+":1\n\n")
	require.Contains(t, out, "2 files: 0 errors, 0 warnings, 1 rule\n")

	// The same words, in other lines, and what says itself that it replaces.
	same := ruleFile(t, "- list: secrets\n  items:\n  - /etc/shadow\n\n- list: secrets\n  items: [/x]\n  override: {items: replace}\n")
	out, _, err = policyCommand(t, "", "check", first, same)
	require.NoError(t, err)
	require.Equal(t, "2 files: 0 errors, 0 warnings, 1 rule\n", out)
}

func TestPolicyCheckOfAMissingFile(t *testing.T) {
	out, _, err := policyCommand(t, "", "check", ruleFile(t, shadowRule), filepath.Join(t.TempDir(), "absent.yaml"))
	require.ErrorIs(t, err, errRules)
	require.Contains(t, out, "LOAD_ERR_FILE_READ")
	_, _, err = policyCommand(t, "", "check")
	require.Error(t, err, "a file has to be named")
}

func TestPolicyCheckJSON(t *testing.T) {
	out, _, err := policyCommand(t, "", "check", "--json", ruleFile(t, "- rule: x\n"))
	require.ErrorIs(t, err, errRules)
	var got struct {
		Results []struct {
			Successful bool             `json:"successful"`
			Errors     []map[string]any `json:"errors"`
		} `json:"falco_load_results"`
	}
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Len(t, got.Results, 1)
	require.False(t, got.Results[0].Successful)
	require.NotEmpty(t, got.Results[0].Errors)
}

func TestPolicyList(t *testing.T) {
	path := ruleFile(t, shadowRule+"\n- rule: Anything\n  desc: x\n  condition: proc.name = x\n  output: x\n  priority: INFO\n  enabled: false\n  warn_evttypes: false\n")
	out, _, err := policyCommand(t, "", "list", path)
	require.NoError(t, err)
	require.Equal(t, `Secret read
  priority     Warning
  file         `+path+`:4
  events       open openat
  fields       evt.type fd.name proc.cmdline
  tags         file

Anything (disabled)
  priority     Informational
  file         `+path+`:11
  events       any
  fields       proc.name

2 rules
`, out)
}

func TestPolicyListJSON(t *testing.T) {
	out, _, err := policyCommand(t, "", "list", "--json", ruleFile(t, shadowRule))
	require.NoError(t, err)
	var got listedRule
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Equal(t, "Secret read", got.Rule)
	require.Equal(t, []string{"open", "openat"}, got.Events)
	require.Equal(t, []string{"file"}, got.Tags)
	require.True(t, got.Enabled)
}

func TestPolicyListOfTheEmbedded(t *testing.T) {
	out, _, err := policyCommand(t, "", "list")
	require.NoError(t, err)
	require.Contains(t, out, "Terminal shell in a container\n  priority     Notice\n  file         shells.yaml:")
	_, _, err = policyCommand(t, "", "list", ruleFile(t, "- rule: x\n"))
	require.Error(t, err)
}

func TestPolicyParse(t *testing.T) {
	out, _, err := policyCommand(t, `{"filter": "proc.name=cat   and (a or b)"}

{"filter": "proc.name = "}
nonsense
{}
{"filter": "a"}
["a"]`, "parse", "-")
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	require.Len(t, lines, 6)
	require.JSONEq(t, `{"ok": true, "ast": "(proc.name = cat and (a or b))"}`, lines[0])
	require.Contains(t, lines[1], `"ok":false`)
	require.Contains(t, lines[1], `"column":`)
	require.Contains(t, lines[2], "not a JSON object")
	require.Contains(t, lines[3], `the key \"filter\" is missing`)
	require.JSONEq(t, `{"ok": true, "ast": "a"}`, lines[4])
	require.JSONEq(t, `{"ok": false, "error": "not a JSON object with a text as \"filter\""}`, lines[5])
}

// The two commands that answer lines take no file, and say how to give them one.
func TestPolicyLinesAreOfStandardInput(t *testing.T) {
	for _, name := range []string{"parse", "eval"} {
		_, _, err := policyCommand(t, "", name, "own.jsonl")
		require.ErrorContains(t, err, `"own.jsonl": standard input is read, no file: `)
		require.ErrorContains(t, err, "policy "+name+" < own.jsonl")
	}
}

func TestPolicyEval(t *testing.T) {
	out, _, err := policyCommand(t, strings.Join([]string{
		`{"filter": "proc.name = cat", "evt_name": "openat", "fields": {"proc.name": {"type": "CHARBUF", "value": "cat", "list": false}}}`,
		`{"filter": "proc.name = cat", "evt_name": "openat", "fields": {}}`,
		`{"filter": "not proc.name = cat and evt.type = openat", "evt_name": "openat"}`,
		`{"filter": "evt.buffer bcontains 6869", "fields": {"evt.buffer": {"type": "BYTEBUF", "raw_hex": ["00686900"]}}}`,
		`{"filter": "no.such = 1"}`,
		`{"filter": 3}`,
		`{"filter": "evt.type = openat", "evt_name": "opennat"}`,
	}, "\n"), "eval")
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	require.Len(t, lines, 7)
	for i, want := range []string{`{"result":true}`, `{"result":false}`, `{"result":true}`, `{"result":true}`} {
		require.Equal(t, want, lines[i])
	}
	for _, line := range lines[4:] {
		require.Regexp(t, `^\{"error":".+"\}$`, line)
	}
	require.Contains(t, lines[6], "evt_name: there is no event type opennat: did you mean openat?")
}

// recorded is a file with one open of /etc/shadow, one exec, and a detection.
func recorded(t *testing.T) string {
	t.Helper()
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	rl.Resource().Attributes().PutStr(schema.HostName, "node")
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for _, event := range []string{schema.EventFileOpen, schema.EventProcessExec, schema.EventPolicyMatch} {
		rec := records.AppendEmpty()
		rec.SetEventName(event)
		rec.SetTimestamp(1_700_000_000_123_456_789)
		rec.Attributes().PutStr(schema.SyscallName, "openat")
		rec.Attributes().PutInt(schema.SyscallReturn, 3)
		rec.Attributes().PutStr(schema.FilePath, "/etc/shadow")
		rec.Attributes().PutStr(schema.ProcessName, "cat")
	}
	records.At(1).Attributes().PutStr(schema.SyscallName, "execve")
	var m plog.JSONMarshaler
	line, err := m.MarshalLogs(ld)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "events.json")
	other := `{"resourceSpans":[]}`
	require.NoError(t, os.WriteFile(path, []byte(string(line)+"\n"+other+"\n"+string(line)+"\n"), 0o600))
	return path
}

func TestPolicyReplay(t *testing.T) {
	rules, events := ruleFile(t, shadowRule), recorded(t)
	out, notes, err := policyCommand(t, "", "replay", "--rules", rules, events)
	require.NoError(t, err)
	line := "2023-11-14T22:13:20.123456789+0000: Warning secret read (file=/etc/shadow command=cat) [Secret read]\n"
	require.Equal(t, line+line, out)
	require.Equal(t, "4 activity records, 2 detections\n      2  Warning        Secret read\n", notes)

	content, err := os.ReadFile(events)
	require.NoError(t, err)
	fromStdin, _, err := policyCommand(t, string(content), "replay", "--rules", rules, "-")
	require.NoError(t, err)
	require.Equal(t, out, fromStdin)

	// A rule about what nobody recorded has not been rehearsed.
	blind := ruleFile(t, strings.Replace(strings.Replace(shadowRule, "Secret read", "Gone", 1), "in (open, openat)", "= unlink", 1))
	_, notes, err = policyCommand(t, "", "replay", "--rules", rules, blind, events)
	require.NoError(t, err)
	require.Contains(t, notes, "\n1 of 2 rules had nothing to match, since no event was recorded that it is about ('keep' of security_policy says which are): Gone\n")

	// A later file overrides an earlier one.
	off := ruleFile(t, "- rule: Secret read\n  enabled: false\n  override: {enabled: replace}\n")
	none, notes, err := policyCommand(t, "", "replay", "--rules", rules, off, events)
	require.NoError(t, err)
	require.Empty(t, none)
	require.Equal(t, "4 activity records, 0 detections\n", notes)
}

func TestPolicyReplayFormats(t *testing.T) {
	rules, events := ruleFile(t, shadowRule), recorded(t)
	out, _, err := policyCommand(t, "", "replay", "--rules", rules, "--format", "json", events)
	require.NoError(t, err)
	var alert map[string]any
	require.NoError(t, json.Unmarshal([]byte(strings.Split(out, "\n")[0]), &alert))
	require.Equal(t, "Secret read", alert["rule"])
	require.Equal(t, "node", alert["hostname"])

	out, _, err = policyCommand(t, "", "replay", "--rules", rules, "--format", "otlp", events)
	require.NoError(t, err)
	ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs([]byte(strings.Split(out, "\n")[0]))
	require.NoError(t, err)
	rl := ld.ResourceLogs().At(0)
	require.Equal(t, 1, rl.Resource().Attributes().Len())
	rec := rl.ScopeLogs().At(0).LogRecords().At(0)
	require.Equal(t, schema.EventPolicyMatch, rec.EventName())

	_, _, err = policyCommand(t, "", "replay", "--format", "xml", events)
	require.ErrorContains(t, err, "xml")
}

// A folder as the agent leaves it: rotated files, one of them compressed since,
// a line that a crash cut off before the agent wrote on, and other signals.
func TestPolicyReplayOfAFolder(t *testing.T) {
	dir := t.TempDir()
	line, err := os.ReadFile(recorded(t))
	require.NoError(t, err)
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, err = w.Write(line)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	for name, content := range map[string]string{
		"logs-2026-11-21T10-00-00.000.json.gz": zipped.String(),
		"logs-2026-11-22T10-00-00.000.json":    string(line) + `{"resourceLogs":[{"resource":{"attr` + "\n" + string(line),
		"logs.json":                            string(line) + `{"resourceLogs":[`,
		"traces.json":                          "no JSON",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	names, err := expand([]string{"-", dir, "absent"})
	require.NoError(t, err)
	require.Equal(t, []string{
		"-", filepath.Join(dir, "logs-2026-11-21T10-00-00.000.json.gz"), filepath.Join(dir, "logs-2026-11-22T10-00-00.000.json"),
		filepath.Join(dir, "logs.json"), "absent",
	}, names)
	out, notes, err := policyCommand(t, "", "replay", "--rules", ruleFile(t, shadowRule), dir)
	require.NoError(t, err)
	require.Equal(t, 8, strings.Count(out, "\n"))
	require.Equal(t, "a damaged line was passed over\nthe last record is cut off; it may still be being written\n"+
		"16 activity records, 8 detections\n      8  Warning        Secret read\n", notes)
	_, _, err = policyCommand(t, "", "replay", t.TempDir())
	require.ErrorIs(t, err, errNoRecordings)
}

func TestPolicyReplayOfWhatIsNoRecording(t *testing.T) {
	rules := ruleFile(t, shadowRule)
	_, notes, err := policyCommand(t, `{"resourceLogs": [`, "replay", "--rules", rules, "-")
	require.NoError(t, err)
	require.Contains(t, notes, "cut off")
	_, _, err = policyCommand(t, `hello`, "replay", "--rules", rules, "-")
	require.ErrorContains(t, err, "byte")
	_, _, err = policyCommand(t, `[]`, "replay", "--rules", rules, "-")
	require.ErrorContains(t, err, "not OTLP JSON")
	_, _, err = policyCommand(t, "", "replay", "--rules", rules, filepath.Join(t.TempDir(), "absent"))
	require.ErrorIs(t, err, os.ErrNotExist)
	_, _, err = policyCommand(t, "", "replay", "--rules", "absent.yaml", recorded(t))
	require.ErrorContains(t, err, "absent.yaml")
}

// What a process does in one act is shown once, unless every match is asked for.
func TestPolicyReplayTellsAnActOnce(t *testing.T) {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	for i, key := range []string{"10:1", "10:1", "11:1", "12:1"} {
		rec := records.AppendEmpty()
		rec.SetEventName(schema.EventFileOpen)
		rec.SetTimestamp(pcommon.Timestamp(1_700_000_000_000_000_000 + i))
		rec.Attributes().PutStr(schema.SyscallName, "openat")
		rec.Attributes().PutInt(schema.SyscallReturn, 3)
		rec.Attributes().PutStr(schema.FilePath, "/etc/shadow")
		rec.Attributes().PutStr(schema.ProcessName, "cat")
		rec.Attributes().PutStr(schema.ProcessKey, key)
		if key == "11:1" {
			rec.Attributes().PutStr(schema.ProcessParentKey, "10:1")
			rec.Attributes().PutStr(schema.ProcessParentName, "tar")
		}
	}
	line, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
	require.NoError(t, err)
	rules := ruleFile(t, strings.Replace(shadowRule, "[file]", "[act_secrets]", 1))
	out, notes, err := policyCommand(t, string(line), "replay", "--rules", rules, "-")
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(out, "\n"), out)
	require.Contains(t, notes, "4 activity records, 2 detections (and 2 further steps of what they tell)\n")
	_, notes, err = policyCommand(t, string(line), "replay", "--all", "--rules", rules, "-")
	require.NoError(t, err)
	require.Contains(t, notes, "4 activity records, 4 detections\n")
}
