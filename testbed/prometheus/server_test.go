package prometheus

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/deploy"
	"github.com/sightglass/sightglass/internal/freeport"
)

// server is a running Prometheus.
type server struct{ address string }

// scrapeEvery is also how often rules are evaluated.
const scrapeEvery = time.Second

// patience is how long a test waits for what must come, on a machine that may be
// very busy.
const patience = 2 * time.Minute

// startPrometheus runs Prometheus with our rules, native histograms on or off,
// scraping the telemetry of collectors.
func startPrometheus(t *testing.T, native bool, scraped []string) *server {
	t.Helper()
	if _, err := exec.LookPath("prometheus"); err != nil {
		t.Skip("prometheus is not installed: apt-get install --no-install-recommends prometheus")
	}
	dir, s := t.TempDir(), &server{freeport.Address(t)}
	writeRules(t, dir)
	targets, err := json.Marshal(scraped)
	require.NoError(t, err)
	config := fmt.Sprintf("global: {scrape_interval: %s, evaluation_interval: %s}\nrule_files: [%s/*.yaml]\n"+
		"scrape_configs: [{job_name: sightglass, static_configs: [{targets: %s}]}]\n", scrapeEvery, scrapeEvery, dir, targets)
	file := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	args := []string{
		"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"),
		"--web.listen-address=" + s.address, "--web.enable-remote-write-receiver",
	}
	if native {
		args = append(args, "--enable-feature=native-histograms")
	}
	start(t, exec.Command("prometheus", args...))
	require.Eventually(t, func() bool {
		resp, err := http.Get("http://" + s.address + "/-/ready")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	}, patience, 100*time.Millisecond, "Prometheus is not ready")
	return s
}

var ruleInterval = regexp.MustCompile(`(?m)^    interval: .*$`)

// writeRules puts our rule files where Prometheus reads them, and has them
// evaluated at once instead of at intervals for production.
func writeRules(t *testing.T, dir string) {
	t.Helper()
	for name, text := range files(t, deploy.Rules, "prometheus") {
		text = ruleInterval.ReplaceAllString(text, "    interval: "+scrapeEvery.String())
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(name)), []byte(text), 0o600))
	}
}

// start runs a program until the end of the test and shows what it wrote if
// that fails.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s:\n%s", filepath.Base(cmd.Path), tail(out.String(), 4000))
		}
	})
}

// tail is the end of a text.
func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// get asks Prometheus's API and returns its data.
func (s *server) get(t *testing.T, path string, form url.Values, data any) error {
	t.Helper()
	resp, err := http.PostForm("http://"+s.address+"/api/v1/"+path, form)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	if answer.Status != "success" {
		return fmt.Errorf("%s", answer.Error)
	}
	return nil
}

// query returns how many series a query yields now.
func (s *server) query(t *testing.T, expr string) (int, error) {
	t.Helper()
	var data struct{ Result []any }
	err := s.get(t, "query", url.Values{"query": {expr}}, &data)
	return len(data.Result), err
}

// metrics are the names of labels by that of the metric.
type metrics map[string]map[string]bool

func (m metrics) add(name, label string) {
	if m[name] == nil {
		m[name] = map[string]bool{}
	}
	m[name][label] = true
}

// stored adds all series that Prometheus holds.
func (s *server) stored(t *testing.T, to metrics) {
	t.Helper()
	var series []map[string]string
	require.NoError(t, s.get(t, "series", url.Values{"match[]": {`{__name__!=""}`}}, &series))
	for _, labels := range series {
		for label := range labels {
			to.add(labels["__name__"], label)
		}
	}
}
