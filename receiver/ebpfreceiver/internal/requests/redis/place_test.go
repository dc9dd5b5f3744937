package redis

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// traffic is a client and a server. Each command is answered by an error of its own,
// so that it shows which answer was taken for that to which command.
type traffic struct {
	s     *script
	asked int // commands,
	done  int // and answers so far
}

func (tr *traffic) ask() {
	tr.asked++
	tr.s.Req(cmd("GET", fmt.Sprintf("E%d", tr.asked)))
}

// answer has the server answer n commands at once.
func (tr *traffic) answer(n int) {
	var b strings.Builder
	for range n {
		tr.done++
		fmt.Fprintf(&b, "-E%d no\r\n", tr.done)
	}
	tr.s.Resp(b.String())
}

// outcomes are how many commands were given their own answer, and how many another.
func (tr *traffic) outcomes() (right, wrong int) {
	for _, line := range tr.s.Found {
		var key, status string
		if _, rest, ok := strings.Cut(line, "{GET "); ok {
			key, rest, _ = strings.Cut(rest, "}")
			_, status, _ = strings.Cut(rest, "error=")
			status, _, _ = strings.Cut(status, " ")
		}
		switch status {
		case "":
		case key:
			right++
		default:
			wrong++
		}
	}
	return right, wrong
}

// A client that sends what it has to ask by several calls, and reads all answers
// before it goes on, is followed again soon after a loss, however busy it is.
func TestPlaceFoundAgain(t *testing.T) {
	for _, client := range []bool{false, true} {
		tr := traffic{s: dbtest.NewScript(New(), client, true)}
		burst := func() {
			tr.ask()
			tr.ask()
			tr.ask()
			tr.answer(2)
			tr.answer(1)
		}
		for range 6 {
			burst()
		}
		tr.ask()
		tr.ask()
		tr.s.Gap(exchange.Response, 8)
		tr.done++
		tr.answer(1)
		before, _ := tr.outcomes()
		for range 20 {
			burst()
		}
		right, wrong := tr.outcomes()
		require.Zero(t, wrong)
		require.GreaterOrEqual(t, right-before, 54, "client %v: %s", client, tr.s.Text())
	}
}

// Of a client that sends whenever it has something to ask no answer is taken for that
// to another command, once it was seen to do so, whatever is lost.
func TestPlaceOfMultiplexed(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 7))
		tr := traffic{s: dbtest.NewScript(New(), seed%2 == 0, false)}
		tr.ask()
		tr.ask()
		tr.answer(1)
		tr.ask()
		tr.answer(2)
		busy := 1 + r.IntN(8) // commands that may be under way
		for i := range 300 {
			switch open := tr.asked - tr.done; {
			case i >= 100 && open > 0 && r.IntN(20) == 0:
				tr.done++
				tr.s.Gap(exchange.Response, uint64(len(fmt.Sprintf("-E%d no\r\n", tr.done))))
			case open == 0 || open < busy && r.IntN(2) == 0:
				tr.ask()
			default:
				tr.answer(1 + r.IntN(open))
			}
		}
		_, wrong := tr.outcomes()
		require.Zero(t, wrong, "seed %d: %s", seed, tr.s.Text())
	}
}
