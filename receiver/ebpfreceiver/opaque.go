//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/bpf"
	"github.com/sightglass/sightglass/internal/encryption"
	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/translate"
)

// maxUndecoded bounds the connections that wait for the process table.
const maxUndecoded = 1024

// undecoded is a connection that goes on in a form that is not decoded.
type undecoded struct {
	end      exchange.Exchange // only its endpoint
	at       uint64            // ns since boot
	protocol string
	form     exchange.Form
}

// noteOpaque is a requests.Config.Opaque.
func (s *requestStage) noteOpaque(ep *exchange.Endpoint, protocol string, form exchange.Form) {
	if s.opaque == nil {
		return
	}
	if len(s.undecoded) >= maxUndecoded {
		s.tellOpaque(^uint64(0)) // by what is known of the processes now
	}
	ex := exchange.Exchange{Endpoint: *ep}
	if s.cfg.atWantedPort(&ex) {
		s.undecoded = append(s.undecoded, undecoded{end: ex, at: s.ev.Time, protocol: protocol, form: form})
	}
}

// maxStrays bounds the processes that wait to be counted.
const maxStrays = 1024

// noteStrays takes processes that move bytes in ways that are not followed. Unlike
// the rest of s it may be called by any goroutine.
func (s *requestStage) noteStrays(fresh []bpf.Stray) {
	if s.opaque == nil {
		return
	}
	s.strayMu.Lock()
	defer s.strayMu.Unlock()
	s.strays = append(s.strays, fresh[:min(len(fresh), maxStrays-len(s.strays))]...)
}

// notePaused is an encryption.Config.Paused: what the process says on connections
// that were decoded so far is not seen any more.
func (s *requestStage) notePaused(pid uint32) {
	if s.opaque == nil {
		return
	}
	s.strayMu.Lock()
	defer s.strayMu.Unlock()
	if len(s.paused) < maxStrays {
		s.paused = append(s.paused, pid)
	}
}

// countStrays counts the processes that were noted as connections that are not
// decoded, one for each way: how many they have nobody knows.
func (s *requestStage) countStrays() {
	s.strayMu.Lock()
	defer s.strayMu.Unlock()
	for _, stray := range s.strays {
		owner := s.enrich.ownerOf(stray.Process)
		if !s.cfg.ofWantedService(owner) {
			continue
		}
		for _, way := range waysOf(stray) {
			s.opaque.Add(owner, "", way, "")
		}
	}
	s.strays = s.strays[:0]
	for _, pid := range s.paused {
		p, known := s.enrich.processes.LookupPID(pid)
		if !known {
			continue
		}
		if owner := s.enrich.ownerOf(p.Key); s.cfg.ofWantedService(owner) {
			s.opaque.Add(owner, "", exchange.TLS.String(), encryption.ReasonBudget)
		}
	}
	s.paused = s.paused[:0]
}

// tellOpaque counts the connections of before a time, in ns since boot, and says
// once for each service what it does not see.
func (s *requestStage) tellOpaque(until uint64) {
	kept := s.undecoded[:0]
	for _, u := range s.undecoded {
		if u.at > until {
			kept = append(kept, u)
			continue
		}
		owner := s.enrich.owner(translate.ActorOf(&u.end.Endpoint))
		why := s.whyOpaque(&u)
		if !s.cfg.ofWantedService(owner) || !s.opaque.Add(owner, u.protocol, u.form.String(), why) {
			continue
		}
		s.log.Info("Connections are seen, their requests are not decoded.", zap.String("service", serviceOf(owner)),
			zap.Uint32("pid", u.end.Owner.TGID), zap.String("protocol", u.protocol), zap.Stringer("because", u.form), zap.String("detail", why))
	}
	s.undecoded = kept
}

// whyOpaque says more about an encrypted connection: which library is in the way.
func (s *requestStage) whyOpaque(u *undecoded) string {
	if s.tls == nil || u.form != exchange.TLS {
		return ""
	}
	return s.tls.Why(u.end.Owner.TGID)
}

// encrypts is a requests.Config.Encrypts.
func (s *requestStage) encrypts(k event.ProcessKey) {
	if s.tls != nil {
		s.tls.Encrypts(k.TGID)
	}
}
