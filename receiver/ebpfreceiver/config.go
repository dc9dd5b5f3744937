package ebpfreceiver

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"path"
	"path/filepath"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// Config of the receiver. Everything is on by default.
type Config struct {
	// RootPath is where the host's file system is seen: "/" on the host, the
	// mount point of the host's root in a pod. Names of users and containers
	// are read below it.
	RootPath string `mapstructure:"root_path"`
	// RingBuffer sizes the buffers between the kernel and the agent.
	RingBuffer RingBufferConfig `mapstructure:"ring_buffer"`
	// Activity is what the logs pipeline gets.
	Activity ActivityConfig `mapstructure:"activity"`
	// Requests is what the traces pipeline gets.
	Requests RequestsConfig `mapstructure:"requests"`
	// SyscallLatency measures every system call.
	SyscallLatency SyscallLatencyConfig `mapstructure:"syscall_latency"`
	// MetricsInterval is the time between two sets of the receiver's metrics.
	MetricsInterval time.Duration `mapstructure:"metrics_interval"`
	// MaxProcesses bounds the process table, ended processes included.
	MaxProcesses int `mapstructure:"max_processes"`
	// ErrorMode says what to do when nothing can be observed: "propagate"
	// stops the collector, "ignore" lets the rest of it run.
	ErrorMode ErrorMode `mapstructure:"error_mode"`
}

// RingBufferConfig sizes the ring buffers. Each is shared by all CPUs.
type RingBufferConfig struct {
	// SecuritySize is in bytes, a power of two.
	SecuritySize int `mapstructure:"security_size"`
	// RequestsSize is in bytes, a power of two.
	RequestsSize int `mapstructure:"requests_size"`
}

// ActivityConfig is about log records.
type ActivityConfig struct {
	// Exits tells of the end of commands.
	Exits bool `mapstructure:"exits"`
	// Logins tells of the beginning and the end of sessions.
	Logins bool `mapstructure:"logins"`
	// Integrity tells what becomes of the host's critical files when a policy
	// or an output wants it.
	Integrity bool `mapstructure:"integrity"`
	// Redact masks secrets in command lines and arguments of system calls. The
	// security_policy processors of this collector see them nevertheless.
	Redact bool `mapstructure:"redact"`
	// KernelFilter leaves calls that no policy can match in the kernel. Without
	// it they are left out behind the ring buffer, which costs more.
	KernelFilter bool `mapstructure:"kernel_filter"`
	// FlushInterval is how long a record waits for others at most.
	FlushInterval time.Duration `mapstructure:"flush_interval"`
	// BatchSize is the greatest number of records in one batch.
	BatchSize int `mapstructure:"batch_size"`
}

// RequestsConfig is about spans.
type RequestsConfig struct {
	// Enabled captures requests when there is a traces pipeline.
	Enabled bool `mapstructure:"enabled"`
	// Protocols are decoded; all that are known when there are none.
	Protocols []string `mapstructure:"protocols"`
	// IncludePorts, when there are any, keeps only the requests that servers at
	// these ports get.
	IncludePorts []int `mapstructure:"include_ports"`
	// ExcludePorts leaves out the requests that servers at these ports get.
	ExcludePorts []int `mapstructure:"exclude_ports"`
	// IncludeServices, when there are any, keeps only the spans of services
	// that match one of these patterns (path.Match). A service in a pod, whose
	// name Kubernetes will tell later, is namespace/container.
	IncludeServices []string `mapstructure:"include_services"`
	// ExcludeServices leaves out the spans of services that match one.
	ExcludeServices []string `mapstructure:"exclude_services"`
	// HTTPRoutes become http.route, or url.template on the client's side, of the
	// requests whose path follows one; the first counts.
	HTTPRoutes []string `mapstructure:"http_routes"`
	// HTTPProbes are paths, as in HTTPRoutes, whose requests are health checks. Those
	// of Kubernetes and of common load balancers are known by their user agents.
	HTTPProbes []string `mapstructure:"http_probes"`
	// MaxPayload bounds the bytes that are copied of what one call moved. Fewer
	// cost less; what lies beyond is said to be cut.
	MaxPayload int `mapstructure:"max_payload"`
	// MaxConnections bounds the connections that are followed at once.
	MaxConnections int `mapstructure:"max_connections"`
	// MaxOpen bounds the requests under way on all connections.
	MaxOpen int `mapstructure:"max_open"`
	// BatchSize is the greatest number of spans in one batch. Fewer are when their
	// texts are long.
	BatchSize int `mapstructure:"batch_size"`
	// TLS is about encrypted connections.
	TLS TLSConfig `mapstructure:"tls"`
}

// TLSConfig is about the plain text of encrypted connections, which is seen by
// probes in the libraries that encrypt.
type TLSConfig struct {
	// Enabled probes them. Without it, encrypted connections are only counted.
	Enabled bool `mapstructure:"enabled"`
	// MaxProbeCost is what a hit of a probe may cost the program that runs into it.
	// Each request hits two to five. A library that has only dearer places is left
	// alone.
	MaxProbeCost time.Duration `mapstructure:"max_probe_cost"`
	// MaxCPU is the part of a process's CPU time that probes may take, 0 for any. A
	// process of which they take more goes without them for a while.
	MaxCPU float64 `mapstructure:"max_cpu"`
}

// SyscallLatencyConfig is about the histogram sightglass.syscall.duration.
type SyscallLatencyConfig struct {
	// Enabled measures how long each system call of each service takes. It
	// costs every call of the machine over 100 ns.
	Enabled bool `mapstructure:"enabled"`
}

// ErrorMode says what an error at start does.
type ErrorMode string

// Error modes.
const (
	ErrorModePropagate ErrorMode = "propagate"
	ErrorModeIgnore    ErrorMode = "ignore"
)

// Bounds and defaults.
const (
	minRing, maxRing, defaultRing = 64 << 10, 1 << 30, 4 << 20

	minInterval            = 100 * time.Millisecond
	defaultMetricsInterval = 10 * time.Second
	minFlush, maxFlush     = 5 * time.Millisecond, 10 * time.Second
	defaultFlush           = 100 * time.Millisecond
	maxBatch, defaultBatch = 10_000, 512
	// about 500 KB of OTLP: for more, pdata takes buffers of 1 MB, several at a time
	defaultSpanBatch    = 768
	minProcesses        = 1024
	defaultProcesses    = 32768
	defaultConnections  = 65536
	defaultOpenRequests = 65536
	minPayload          = 64

	minProbeCPU, defaultProbeCPU                 = 0.01, 0.4
	minProbeCost, maxProbeCost, defaultProbeCost = 100 * time.Nanosecond, time.Millisecond, 5 * time.Microsecond
)

func createDefaultConfig() component.Config {
	return &Config{
		RootPath:        "/",
		RingBuffer:      RingBufferConfig{SecuritySize: defaultRing, RequestsSize: defaultRing},
		Activity:        ActivityConfig{Exits: true, Logins: true, Integrity: true, Redact: true, KernelFilter: true, FlushInterval: defaultFlush, BatchSize: defaultBatch},
		Requests:        RequestsConfig{Enabled: true, MaxPayload: event.MaxPayload, MaxConnections: defaultConnections, MaxOpen: defaultOpenRequests, BatchSize: defaultSpanBatch, TLS: TLSConfig{Enabled: true, MaxProbeCost: defaultProbeCost, MaxCPU: defaultProbeCPU}},
		MetricsInterval: defaultMetricsInterval,
		MaxProcesses:    defaultProcesses,
		ErrorMode:       ErrorModePropagate,
	}
}

// Validate checks the configuration alone; it touches neither files nor the
// kernel.
func (c *Config) Validate() error {
	var errs []error
	if !filepath.IsAbs(c.RootPath) {
		errs = append(errs, fmt.Errorf("root_path: %q is not absolute: give the directory under which the host's root is mounted, or /", c.RootPath))
	}
	if c.MetricsInterval < minInterval {
		errs = append(errs, fmt.Errorf("metrics_interval: %v is too short: use %v or more", c.MetricsInterval, minInterval))
	}
	if c.MaxProcesses < minProcesses {
		errs = append(errs, fmt.Errorf("max_processes: %d is too few to follow ancestry: use %d or more", c.MaxProcesses, minProcesses))
	}
	if c.ErrorMode != ErrorModePropagate && c.ErrorMode != ErrorModeIgnore {
		errs = append(errs, fmt.Errorf("error_mode: %q is unknown: use %s or %s", c.ErrorMode, ErrorModePropagate, ErrorModeIgnore))
	}
	return errors.Join(errs...)
}

// Validate checks the sizes of the rings.
func (c *RingBufferConfig) Validate() error {
	return errors.Join(checkRing("security_size", c.SecuritySize), checkRing("requests_size", c.RequestsSize))
}

func checkRing(key string, size int) error {
	if size < minRing || size > maxRing || bits.OnesCount(uint(size)) != 1 {
		return fmt.Errorf("%s: %d is no power of two from %d to %d bytes: for example %d (4 MiB)", key, size, minRing, maxRing, defaultRing)
	}
	return nil
}

// Validate checks how records are batched.
func (c *ActivityConfig) Validate() error {
	var errs []error
	if c.FlushInterval < minFlush || c.FlushInterval > maxFlush {
		errs = append(errs, fmt.Errorf("flush_interval: %v is out of range: use %v to %v", c.FlushInterval, minFlush, maxFlush))
	}
	return errors.Join(append(errs, checkBatch(c.BatchSize))...)
}

func checkBatch(size int) error {
	if size < 1 || size > maxBatch {
		return fmt.Errorf("batch_size: %d is out of range: use 1 to %d", size, maxBatch)
	}
	return nil
}

// Validate checks the choices and the bounds of request capture.
func (c *RequestsConfig) Validate() error {
	var errs []error
	if _, err := requests.Named(c.Protocols); err != nil {
		errs = append(errs, fmt.Errorf("protocols: %w", err))
	}
	if _, err := spans.ParsePatterns(c.HTTPRoutes); err != nil {
		errs = append(errs, fmt.Errorf("http_routes: %w", err))
	}
	if _, err := spans.ParsePatterns(c.HTTPProbes); err != nil {
		errs = append(errs, fmt.Errorf("http_probes: %w", err))
	}
	errs = append(errs, checkPorts("include_ports", c.IncludePorts), checkPorts("exclude_ports", c.ExcludePorts), c.checkBoth())
	errs = append(errs, checkPatterns("include_services", c.IncludeServices), checkPatterns("exclude_services", c.ExcludeServices))
	if c.MaxPayload < minPayload || c.MaxPayload > event.MaxPayload {
		errs = append(errs, fmt.Errorf("max_payload: %d is out of range: use %d to %d bytes", c.MaxPayload, minPayload, event.MaxPayload))
	}
	if c.MaxConnections < 1 {
		errs = append(errs, fmt.Errorf("max_connections: %d is too few: use 1 or more, or enabled: false", c.MaxConnections))
	}
	if c.MaxOpen < 1 {
		errs = append(errs, fmt.Errorf("max_open: %d is too few: use 1 or more, or enabled: false", c.MaxOpen))
	}
	return errors.Join(append(errs, checkBatch(c.BatchSize))...)
}

// Validate checks what a probe, and what all of them may cost.
func (c *TLSConfig) Validate() error {
	if c.MaxProbeCost < minProbeCost || c.MaxProbeCost > maxProbeCost {
		return fmt.Errorf("max_probe_cost: %v is out of range: use %v to %v, or enabled: false", c.MaxProbeCost, minProbeCost, maxProbeCost)
	}
	if c.MaxCPU != 0 && (c.MaxCPU < minProbeCPU || c.MaxCPU > 1) {
		return fmt.Errorf("max_cpu: %v is out of range: use %v to 1, or 0 for no bound", c.MaxCPU, minProbeCPU)
	}
	return nil
}

func checkPorts(key string, ports []int) error {
	for _, port := range ports {
		if port < 1 || port > math.MaxUint16 {
			return fmt.Errorf("%s: %d is no port: use 1 to %d", key, port, math.MaxUint16)
		}
	}
	return nil
}

// checkBoth refuses a port that is to be kept and left out.
func (c *RequestsConfig) checkBoth() error {
	for _, port := range c.ExcludePorts {
		if slices.Contains(c.IncludePorts, port) {
			return fmt.Errorf("exclude_ports: %d is in include_ports, too: name it in one of them", port)
		}
	}
	return nil
}

func checkPatterns(key string, patterns []string) error {
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			return fmt.Errorf("%s: %q is no pattern: * stands for any text without /, ? for one character, [a-z] for a range", key, p)
		}
	}
	return nil
}
