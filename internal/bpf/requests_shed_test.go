package bpf

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
)

// overloadExchanges are ten times as many as fit into the test's ring.
const overloadExchanges = 2000

// talkOverload asks and answers more than the ring can hold.
func talkOverload() error {
	client, server, err := connection()
	if err != nil {
		return err
	}
	for i := range overloadExchanges {
		if err := say(client, server, fmt.Appendf(nil, "ASK %016d", i)); err != nil {
			return err
		}
		if err := say(server, client, fmt.Appendf(nil, "ANSWER %016d", i)); err != nil {
			return err
		}
	}
	return nil
}

// TestOverloadLeavesOutWholeExchanges: nobody reads while a ring fills up. What
// is in it are exchanges with both records of both ends, but for the one that was on
// its way when the ring had filled up, and everything else is counted.
func TestOverloadLeavesOutWholeExchanges(t *testing.T) {
	for name, every := range map[string]bool{"messages that look like such": false, "every segment": true} {
		t.Run(name, func(t *testing.T) {
			requireRoot(t)
			ask, answer := startsWith(1, "ASK ", 64), startsWith(1, "ANSWER ", 64)
			ask.Apart, ask.Every = true, every
			a, err := Load(Options{Requests: true, RequestsRing: 128 << 10, Signatures: []event.Signature{ask, answer}})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, a.Close()) })
			cmd := helper(t, "overload")
			require.NoError(t, cmd.Run())
			checkOverload(t, a, drain(t, a, cmd.Process.Pid))
		})
	}
}

func checkOverload(t *testing.T, a *Agent, told []event.Request) {
	t.Helper()
	type end struct {
		socket uint64
		which  string
	}
	calls, ends := map[end]int{}, map[string]int{}
	for _, r := range told {
		text := string(r.Payload)
		e := end{r.Socket, text[len(text)-16:]}
		if calls[e]++; calls[e] == 1 {
			ends[e.which]++
		}
	}
	require.NotEmpty(t, calls)
	for e, n := range calls {
		assert.Equal(t, 2, n, "calls of exchange %s at one end", e.which)
	}
	apart := 0
	for _, n := range ends {
		apart += 2 - n
	}
	assert.LessOrEqual(t, apart, 1, "the ends decide alike")
	st, err := a.Stats()
	require.NoError(t, err)
	total := st.Classes[Requests].Total()
	assert.Zero(t, total.Lost[securityLossReasonLOSS_RING_FULL])
	assert.GreaterOrEqual(t, total.Lost[securityLossReasonLOSS_OVERLOAD], uint64(2*(2*overloadExchanges-len(calls))))
	assert.Equal(t, total.Produced, st.Classes[Requests].Received+total.TotalFiltered()+total.TotalLost())
}
