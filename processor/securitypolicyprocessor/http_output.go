package securitypolicyprocessor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/output"
	"github.com/sightglass/sightglass/internal/redact"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/processor/securitypolicyprocessor/internal/alert"
)

// HTTPOutputConfig sends each detection as one JSON object in Falco's form, to
// falcosidekick and whatever else understands that. It is off while the
// endpoint is empty.
type HTTPOutputConfig struct {
	confighttp.ClientConfig `mapstructure:",squash"`
	// QueueSize is how many alerts may wait to be sent.
	QueueSize int `mapstructure:"queue_size"`
	// Retry is how an alert is sent again that could not be delivered.
	Retry configretry.BackOffConfig `mapstructure:"retry_on_failure"`
	// ShutdownTimeout is how long the end of the program may wait for what is
	// still in the queue.
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout"`
}

func defaultHTTPOutput() HTTPOutputConfig {
	c := HTTPOutputConfig{
		ClientConfig:    confighttp.NewDefaultClientConfig(),
		QueueSize:       1000,
		Retry:           configretry.NewDefaultBackOffConfig(),
		ShutdownTimeout: 5 * time.Second,
	}
	c.Timeout = 5 * time.Second
	// One alert after the other: what waits behind one that fails should not
	// wait for minutes.
	c.Retry.InitialInterval, c.Retry.MaxInterval, c.Retry.MaxElapsedTime = 500*time.Millisecond, 10*time.Second, time.Minute
	return c
}

var (
	errQueueSize       = errors.New("queue_size: must be positive")
	errShutdownTimeout = errors.New("shutdown_timeout: must be positive")
)

// Validate implements the collector's validation.
func (c *HTTPOutputConfig) Validate() error {
	var errs []error
	if c.Endpoint != "" {
		u, err := url.Parse(c.Endpoint)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			errs = append(errs, fmt.Errorf("endpoint: %q is no URL with http:// or https://", c.Endpoint))
		}
	}
	if c.QueueSize <= 0 {
		errs = append(errs, errQueueSize)
	}
	if c.ShutdownTimeout <= 0 {
		errs = append(errs, errShutdownTimeout)
	}
	return errors.Join(errs...)
}

// httpOutput sends alerts. nil sends none.
type httpOutput struct {
	sender   *alert.Sender
	redactor *redactor
	hostname string // of this machine
	timeout  time.Duration
}

// startHTTPOutput is nil when none is configured.
func (p *policyProcessor) startHTTPOutput(ctx context.Context, host component.Host) (*httpOutput, error) {
	cfg := &p.cfg.HTTPOutput
	if cfg.Endpoint == "" {
		return nil, nil
	}
	client, err := cfg.ToClient(ctx, host.GetExtensions(), p.settings)
	if err != nil {
		return nil, fmt.Errorf("http_output: %w", err)
	}
	hostname, _ := os.Hostname() // an alert without one is better than none
	background := context.Background()
	h := &httpOutput{
		redactor: p.redactor, hostname: hostname, timeout: cfg.ShutdownTimeout,
		sender: alert.New(alert.Options{
			Client: client, URL: cfg.Endpoint, UserAgent: "Sightglass/" + p.version,
			QueueSize: cfg.QueueSize, Retry: cfg.Retry, Logger: p.logger,
			Sent:    func() { p.telemetry.ProcessorSecurityPolicyAlertsSent.Add(background, 1) },
			Retried: func() { p.telemetry.ProcessorSecurityPolicyAlertsRetried.Add(background, 1) },
			Dropped: func(reason alert.Reason, n int) {
				p.telemetry.ProcessorSecurityPolicyAlertsDropped.Add(background, int64(n),
					metric.WithAttributes(attribute.String("reason", string(reason))))
			},
		}),
	}
	err = p.telemetry.RegisterProcessorSecurityPolicyAlertsWaitingCallback(func(_ context.Context, o metric.Int64Observer) error {
		o.Observe(int64(h.sender.Waiting()))
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, h.shutdown(ctx))
	}
	return h, nil
}

// shutdown sends what waits, within its time.
func (h *httpOutput) shutdown(ctx context.Context) error {
	if h == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	return h.sender.Shutdown(ctx)
}

// match sends the alert of a match. host is the name of the machine that the
// event is from, if its record says so.
func (h *httpOutput) match(m *policy.Match, host string) {
	if h == nil {
		return
	}
	a := m.Alert(h.host(host))
	if h.redactor != nil {
		a.Message = redact.Text(a.Message)
		for i := range a.Fields {
			a.Fields[i].JSON = maskJSON(a.Fields[i].JSON)
		}
	}
	h.sender.Send(a.AppendJSON(nil))
}

func (h *httpOutput) host(recorded string) string {
	if recorded != "" {
		return recorded
	}
	return h.hostname
}

// maskJSON masks a JSON text, and the texts in a list. Other values hold no
// secrets.
func maskJSON(value []byte) []byte {
	switch value[0] {
	case '"':
		var s string
		if json.Unmarshal(value, &s) != nil {
			return value
		}
		if masked := redact.Text(s); masked != s {
			return output.AppendQuoted(nil, masked)
		}
	case '[':
		var list []string
		if json.Unmarshal(value, &list) != nil {
			return value
		}
		masked := redact.Args(list)
		if len(list) == 0 || &masked[0] == &list[0] {
			return value
		}
		out := []byte{'['}
		for i, s := range masked {
			if i > 0 {
				out = append(out, ',')
			}
			out = output.AppendQuoted(out, s)
		}
		return append(out, ']')
	}
	return value
}

// internalSource and suppressedRule mark what the processor says about itself,
// as Falco marks its own notices.
const (
	internalSource = "internal"
	suppressedRule = "Sightglass internal: detections suppressed"
)

// suppressed tells how many matches the rate limit held back.
func (h *httpOutput) suppressed(s *suppression, host string, now time.Time) {
	if h == nil {
		return
	}
	a := output.Alert{
		Hostname: h.host(host), Rule: suppressedRule, Priority: s.rule.Priority.String(), Source: internalSource,
		Time: now, Message: s.text(),
		Fields: []output.AlertField{
			{Key: schema.RuleName, JSON: output.AppendQuoted(nil, s.rule.Name)},
			{Key: schema.PolicySuppressed, JSON: strconv.AppendInt(nil, s.count, 10)},
		},
	}
	h.sender.Send(a.AppendJSON(nil))
}
