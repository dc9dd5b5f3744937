package translate

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// Spans are kept apart by who acted, however many there are, and handed out once.
func TestUnowned(t *testing.T) {
	const actors, each = 3 * fewActors, 5
	translator := spans.NewTranslator([32]byte{1})
	var u Unowned
	for round := range 3 {
		for n := range actors * each {
			ex := exchange.Exchange{Facts: named("GET /"), End: uint64(100*round + n)}
			ex.Owner.TGID = uint32(n % actors)
			require.True(t, u.Append(translator, &ex, wallOffset))
		}
		require.False(t, u.Append(translator, &exchange.Exchange{Facts: named(""), End: 1 << 40}, wallOffset))
		require.Equal(t, actors*each, u.Len())
		require.EqualValues(t, 100*round+actors*each-1, u.End())
		got := map[Actor]int{}
		var kept []ptrace.SpanSlice
		u.Take(func(by Actor, list ptrace.SpanSlice) {
			got[by] += list.Len()
			kept = append(kept, list) // not moved: whatever comes next must not get into it
		})
		want := map[Actor]int{}
		for tgid := range uint32(actors) {
			want[Actor{Process: event.ProcessKey{TGID: tgid}}] = each
		}
		require.Equal(t, want, got)
		require.Zero(t, u.Len())
		require.Zero(t, u.End())
		for _, list := range kept {
			require.LessOrEqual(t, list.Len(), each)
		}
	}
}
