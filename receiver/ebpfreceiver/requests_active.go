//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"time"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// httpServer is implemented by the facts of HTTP.
type httpServer interface {
	Serving() (method, scheme string)
}

// readActive counts the requests that are being served.
func (s *requestStage) readActive(now time.Time) {
	s.active.Begin()
	for ex := range s.assembler.Open() {
		facts, ok := ex.Facts.(httpServer)
		if !ok || ex.Role != event.RoleServer || !s.cfg.atWantedPort(ex) {
			continue
		}
		method, scheme := facts.Serving()
		if owner := s.enrich.owner(translate.ActorOf(&ex.Endpoint)); method != "" && s.cfg.ofWantedService(owner) {
			s.active.Add(owner, method, scheme)
		}
	}
	m := s.active.Metrics(now)
	s.actives.Store(&m)
	s.countStrays()
	o := s.opaque.Metrics(now)
	s.opaques.Store(&o)
}
