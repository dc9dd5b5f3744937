package ebpfreceiver

import (
	"container/ring"
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// sharedReceivers holds the receivers that exist, one per configuration. The
// signals of one configuration share one: the kernel is asked once.
type sharedReceivers struct {
	mu  sync.Mutex
	all map[*Config]*sharedReceiver
}

// sharedReceiver is one receiver behind several signals. The first Start starts
// it, the first Shutdown stops it for all, as the collector stops all of them.
type sharedReceiver struct {
	component.Component
	forget func()

	startOnce sync.Once
	startErr  error
	stopOnce  sync.Once
	stopErr   error
	host      statusHost
}

// get returns the receiver of a configuration, made when there is none yet.
func (s *sharedReceivers) get(cfg *Config, build func() (component.Component, error)) (*sharedReceiver, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.all[cfg]; ok {
		return r, nil
	}
	c, err := build()
	if err != nil {
		return nil, err
	}
	r := &sharedReceiver{Component: c, host: statusHost{recent: ring.New(maxStatusEvents)}}
	r.forget = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.all[cfg] == r {
			delete(s.all, cfg)
		}
	}
	if s.all == nil {
		s.all = map[*Config]*sharedReceiver{}
	}
	s.all[cfg] = r
	return r, nil
}

// Start implements component.Component for each signal.
func (r *sharedReceiver) Start(ctx context.Context, host component.Host) error {
	r.host.add(host)
	r.startOnce.Do(func() { r.startErr = r.Component.Start(ctx, &r.host) })
	return r.startErr
}

// Shutdown implements component.Component for each signal.
func (r *sharedReceiver) Shutdown(ctx context.Context) error {
	r.stopOnce.Do(func() {
		r.forget()
		r.stopErr = r.Component.Shutdown(ctx)
	})
	return r.stopErr
}

// maxStatusEvents is how many status events a signal that starts later hears.
const maxStatusEvents = 5

// statusHost is the host of a shared receiver: it passes status events on to
// the hosts of all signals, and recent ones to those that come later.
type statusHost struct {
	mu     sync.Mutex
	hosts  []component.Host
	recent *ring.Ring // of *componentstatus.Event
}

var (
	_ component.Host           = (*statusHost)(nil)
	_ componentstatus.Reporter = (*statusHost)(nil)
)

func (h *statusHost) add(host component.Host) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hosts = append(h.hosts, host)
	h.recent.Do(func(ev any) {
		if ev, ok := ev.(*componentstatus.Event); ok {
			componentstatus.ReportStatus(host, ev)
		}
	})
}

// Report implements componentstatus.Reporter.
func (h *statusHost) Report(ev *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.recent.Value = ev
	h.recent = h.recent.Next()
	for _, host := range h.hosts {
		componentstatus.ReportStatus(host, ev)
	}
}

// GetExtensions implements component.Host.
func (h *statusHost) GetExtensions() map[component.ID]component.Component {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.hosts) == 0 {
		return nil
	}
	return h.hosts[0].GetExtensions()
}
