//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/httpfacts"
)

func exportOf(tgid uint32, role event.Role, target string) *exchange.Exchange {
	return &exchange.Exchange{
		Endpoint: exchange.Endpoint{Owner: event.ProcessKey{TGID: tgid}, Role: role},
		Facts:    &httpfacts.Facts{Method: []byte("POST"), Target: []byte(target)},
	}
}

func TestInstrumented(t *testing.T) {
	var i instrumented
	i.note(exportOf(1, event.RoleClient, "/v1/traces"))
	i.note(exportOf(2, event.RoleClient, "/v1/metrics"))
	i.note(exportOf(3, event.RoleServer, "/v1/traces")) // a collector
	for tgid, want := range map[uint32]bool{1: true, 2: false, 3: false} {
		assert.Equal(t, want, i.has(event.ProcessKey{TGID: tgid}, nil), tgid)
	}
	assert.True(t, i.has(event.ProcessKey{TGID: 4}, &process.Process{LoadsSDK: true}))
}

func TestInstrumentedIsBounded(t *testing.T) {
	var i instrumented
	used := event.ProcessKey{TGID: 7}
	i.add(used)
	for n := range uint32(5 * maxInstrumented) {
		i.add(event.ProcessKey{TGID: 1000 + n})
		assert.True(t, i.has(used, nil), "what is asked for stays")
	}
	assert.LessOrEqual(t, len(i.recent)+len(i.before), 2*maxInstrumented)
}
