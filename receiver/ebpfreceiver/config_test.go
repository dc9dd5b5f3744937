package ebpfreceiver

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"
)

func loadConfig(t *testing.T, name string) (*Config, error) {
	t.Helper()
	all, err := confmaptest.LoadConf(filepath.Join("testdata", "config.yaml"))
	require.NoError(t, err)
	id := component.MustNewID("ebpf")
	if name != "" {
		id = component.MustNewIDWithName("ebpf", name)
	}
	sub, err := all.Sub(id.String())
	require.NoError(t, err)
	cfg := createDefaultConfig().(*Config)
	if err := sub.Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func TestConfig(t *testing.T) {
	cfg, err := loadConfig(t, "")
	require.NoError(t, err)
	require.Equal(t, createDefaultConfig(), cfg)

	cfg, err = loadConfig(t, "all")
	require.NoError(t, err)
	require.Equal(t, &Config{
		RootPath:   "/host",
		RingBuffer: RingBufferConfig{SecuritySize: 8 << 20, RequestsSize: 16 << 20},
		Activity:   ActivityConfig{FlushInterval: 50 * time.Millisecond, BatchSize: 100},
		Requests: RequestsConfig{
			Protocols: []string{"http"}, IncludePorts: []int{80, 8080}, ExcludePorts: []int{9100, 10250},
			IncludeServices: []string{"shop-*"}, ExcludeServices: []string{"kube-system/*"},
			HTTPRoutes: []string{"/users/{id}"}, HTTPProbes: []string{"/healthz"},
			MaxPayload: 512, MaxConnections: 1000, MaxOpen: 2000, BatchSize: 300,
			TLS: TLSConfig{MaxProbeCost: 20 * time.Microsecond, MaxCPU: 0.1},
		},
		SyscallLatency:  SyscallLatencyConfig{Enabled: true},
		MetricsInterval: time.Second,
		MaxProcesses:    4096,
		ErrorMode:       ErrorModeIgnore,
	}, cfg)
}

// Errors name the key and what to do.
func TestConfigErrors(t *testing.T) {
	for name, want := range map[string]string{
		"relative_root":  `root_path: "host" is not absolute: give the directory`,
		"ring_not_power": "ring_buffer: security_size: 5000000 is no power of two",
		"ring_too_small": "ring_buffer: requests_size: 4096 is no power of two from 65536",
		"interval":       "metrics_interval: 1ms is too short: use 100ms or more",
		"processes":      "max_processes: 10 is too few to follow ancestry: use 1024 or more",
		"error_mode":     `error_mode: "panic" is unknown: use propagate or ignore`,
		"flush":          "activity: flush_interval: 1m0s is out of range: use 5ms to 10s",
		"batch":          "activity: batch_size: 0 is out of range: use 1 to 10000",
		"protocol":       `requests: protocols: "htttp" is unknown: use some of http`,
		"probe":          `requests: http_probes: "/a{b": "a{b" is neither fixed nor {name}`,
		"route":          `requests: http_routes: "users/{id}": a route begins with /`,
		"port":           "requests: include_ports: 99999 is no port: use 1 to 65535",
		"port_in_both":   "requests: exclude_ports: 8080 is in include_ports, too: name it in one of them",
		"pattern":        `requests: exclude_services: "shop[" is no pattern: * stands for`,
		"payload":        "requests: max_payload: 10000 is out of range: use 64 to 4096 bytes",
		"connections":    "requests: max_connections: 0 is too few",
		"open":           "requests: max_open: 0 is too few",
		"span_batch":     "requests: batch_size: 10001 is out of range: use 1 to 10000",
		"probe_cost":     "tls: max_probe_cost: 1s is out of range: use 100ns to 1ms",
		"probe_cpu":      "tls: max_cpu: 1.5 is out of range: use 0.01 to 1, or 0 for no bound",
		"unknown_key":    "htttp",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loadConfig(t, name)
			require.ErrorContains(t, err, want)
		})
	}
}
