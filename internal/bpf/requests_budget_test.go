package bpf

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
)

// verifierBudget is how many instructions the kernel may have to follow to
// accept the request capture: about five seconds on a slow machine. A loop that
// is followed once for each way into it soon costs ten times as much.
const verifierBudget = 900_000

// TestVerifierBudget holds the programs to it, with as many signatures as fit.
func TestVerifierBudget(t *testing.T) {
	requireRoot(t)
	for name, plain := range map[string]bool{"newest way": false, "oldest way": true} {
		t.Run(name, func(t *testing.T) {
			var signatures []event.Signature
			for i := range maxSignature {
				s := startsWith(uint8(1+i%(maxClass-1)), string(rune('!'+i))+"ET ", event.MaxPayload)
				s.Every, s.Apart, s.Datagram, s.Bare, s.End = i%3 == 1, i%3 != 1, i%7 == 3, true, "\r\n\r\n"
				signatures = append(signatures, s)
			}
			a, err := Load(Options{Requests: true, TLS: true, Plain: plain, Signatures: signatures})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, a.Close()) })
			total := uint32(0)
			c, err := a.tlsCapture()
			require.NoError(t, err)
			programs := maps.Clone(c.coll.Programs)
			c.awaitTLS()
			for name, p := range c.tls.Load().programs {
				require.NoError(t, p.err, name)
				programs[name] = p.program
			}
			for name, p := range programs {
				info, err := p.Info()
				require.NoError(t, err)
				n, ok := info.VerifiedInstructions()
				if !ok {
					t.Skip("this kernel does not tell (Linux 5.16)")
				}
				t.Logf("%s: %d", name, n)
				total += n
			}
			require.Less(t, total, uint32(verifierBudget))
		})
	}
}
