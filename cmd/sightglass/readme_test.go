package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
)

// row is a line of a README's table of keys: one key or several, the default,
// the meaning.
var row = regexp.MustCompile("(?m)^\\| (`[a-z][^|]*`) \\| ([^|]*) \\| .* \\|$")

// inWords are defaults that the READMEs tell by words, or more shortly.
var inWords = []string{
	"http_output.retry_on_failure", "keep", "resource_attributes", "merge.drop_resource_attributes", "metrics.<name>.enabled",
	"metrics.<name>.boundaries", "http_output", "http_output.tls", "http_output.headers", "http_output.auth", "http_output.proxy_url",
}

// The READMEs of our components list every key, with the default that it has.
func TestKeysAndDefaultsOfTheREADMEs(t *testing.T) {
	f, err := components()
	require.NoError(t, err)
	for folder, factory := range map[string]component.Factory{
		"receiver/ebpfreceiver":             f.Receivers[component.MustNewType("ebpf")],
		"processor/securitypolicyprocessor": f.Processors[component.MustNewType("security_policy")],
		"connector/servicelatencyconnector": f.Connectors[component.MustNewType("service_latency")],
		"exporter/terminalexporter":         f.Exporters[component.MustNewType("terminal")],
	} {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			told := tableOfKeys(t, filepath.Join("..", "..", folder, "README.md"))
			conf := confmap.New()
			require.NoError(t, conf.Marshal(factory.CreateDefaultConfig()))
			for key, text := range told {
				path := strings.ReplaceAll(key, ".", confmap.KeyDelimiter)
				if !slices.Contains(inWords, key) {
					given := confmap.NewFromStringMap(map[string]any{path: conf.Get(path)})
					require.NoError(t, given.Unmarshal(factory.CreateDefaultConfig()), key)
					require.Equal(t, text, inTable(conf.Get(path), text), key)
				}
			}
			for _, path := range conf.AllKeys() {
				key := strings.ReplaceAll(path, confmap.KeyDelimiter, ".")
				require.True(t, isTold(told, key), "%s is not in the README", key)
			}
		})
	}
}

// tableOfKeys returns the defaults by key, without the marks of code.
func tableOfKeys(t *testing.T, readme string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(readme)
	require.NoError(t, err)
	told := map[string]string{}
	for _, table := range strings.Split(string(text), "\n| key | default | ")[1:] {
		table, _, _ = strings.Cut(table, "\n\n")
		addRows(told, table)
	}
	require.NotEmpty(t, told)
	return told
}

func addRows(told map[string]string, table string) {
	for _, m := range row.FindAllStringSubmatch(table, -1) {
		first := ""
		for name := range strings.SplitSeq(strings.ReplaceAll(m[1], "`", ""), ", ") {
			if rest, ok := strings.CutPrefix(name, "."); ok { // beside the first: `a.b`, `.c`
				name = first[:strings.LastIndex(first, ".")+1] + rest
			} else {
				first = name
			}
			told[name] = strings.ReplaceAll(m[2], "`", "")
		}
	}
}

// isTold tells whether a row names the key, a block that it is in, or something
// in it.
func isTold(told map[string]string, key string) bool {
	for name := range told {
		name = strings.ReplaceAll(name, "<name>.", "")
		if key == name || strings.HasPrefix(key, name+".") || strings.HasPrefix(name, key+".") {
			return true
		}
	}
	return strings.HasPrefix(key, "metrics.")
}

// inTable writes a value as the tables do, text being what stands there.
func inTable(value any, text string) string {
	switch v := value.(type) {
	case time.Duration: // which Go writes as 1m0s
		if d, err := time.ParseDuration(text); err == nil && d == v {
			return text
		}
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = fmt.Sprint(item)
		}
		if len(v) > 0 || text == "[]" {
			return "[" + strings.Join(items, ", ") + "]"
		}
		return "none"
	}
	if s := fmt.Sprint(value); s != "" && s != "map[]" && s != "<nil>" {
		return s
	}
	return "none"
}

// link is a link to a file of this repository, with or without a heading of it.
var link = regexp.MustCompile(`\]\(([^):\s]+)\)`)

// Links between documents lead to files and headings that there are.
func TestLinksOfTheDocuments(t *testing.T) {
	root := filepath.Join("..", "..")
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "out" || len(d.Name()) > 2 && d.Name()[0] == '.'):
			return fs.SkipDir
		case filepath.Ext(path) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			name, heading, _ := strings.Cut(m[1], "#")
			target := path
			if name != "" {
				target = filepath.Join(filepath.Dir(path), name)
			}
			content, err := os.ReadFile(target)
			if info, statErr := os.Stat(target); statErr != nil || err != nil && !info.IsDir() {
				t.Errorf("%s: %s leads nowhere", path, m[1])
			} else if heading != "" && !hasHeading(string(content), heading) {
				t.Errorf("%s: %s names no heading", path, m[1])
			}
		}
		return nil
	}))
}

// hasHeading tells whether a document has the heading that anchor stands for.
func hasHeading(document, anchor string) bool {
	left := regexp.MustCompile(`[^\w\- ]`)
	for line := range strings.Lines(document) {
		if text := strings.TrimLeft(line, "#"); text != line {
			text = left.ReplaceAllString(strings.ToLower(strings.TrimSpace(text)), "")
			if strings.ReplaceAll(text, " ", "-") == anchor {
				return true
			}
		}
	}
	return false
}
