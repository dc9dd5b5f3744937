package requests_test

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/amqp"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dns"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/httpfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/kafka"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/rpcfacts"
)

var (
	update = flag.Bool("update", false, "write the golden files anew")
	record = flag.Bool("record", false, "record the exchanges of real programs anew, into testdata (root)")
)

// TestGolden replays what real programs did, as the kernel side reported it
// (TestRecord), and compares the exchanges with the golden file beside it.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.ring")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".ring"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			got := replay(t, raw)
			golden := strings.TrimSuffix(file, ".ring") + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

var errRing = errors.New("not a recording")

// nextRecord cuts a record off a recording: each has its length before it.
func nextRecord(b []byte) (rec, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, errRing
	}
	n := binary.LittleEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-4) {
		return nil, nil, errRing
	}
	return b[4 : 4+n], b[4+n:], nil
}

// replay prints the exchanges of a recording, in the order in which they ended,
// with times relative to the first record in microseconds.
func replay(tb testing.TB, raw []byte) string {
	tb.Helper()
	var out strings.Builder
	var first uint64
	a := requests.New(requests.Config{Emit: func(ex *exchange.Exchange) {
		fmt.Fprintln(&out, goldenLine(ex, first))
		ex.Release()
	}})
	var ev event.Event
	for len(raw) > 0 {
		rec, rest, err := nextRecord(raw)
		require.NoError(tb, err)
		raw = rest
		require.NoError(tb, event.Decode(rec, &ev))
		if first == 0 {
			first = ev.Time
		}
		a.Handle(&ev)
	}
	s := a.Stats()
	fmt.Fprintf(&out, "records %d, unknown %d, late %d, gaps %d, connections %d opened %d left, open requests %d\n",
		s.Records, s.Unknown, s.Late, s.Gaps, s.Opened, s.Connections, s.OpenRequests)
	return out.String()
}

// rpcStatus is what the codes of calls are added to, to tell them from the
// statuses of HTTP.
const rpcStatus = 1000

// Statuses of lookups.
const (
	nameFound = 1
	noName    = 2
)

// rpcTimeout is DEADLINE_EXCEEDED.
const rpcTimeout = rpcStatus + 4

// Statuses of operations of databases.
const (
	operationDone   = 1
	operationFailed = 2
)

// httpOf returns what is known of an exchange, in the terms of HTTP, and its
// status.
func httpOf(ex *exchange.Exchange) (*httpfacts.Facts, int) {
	switch f := ex.Facts.(type) {
	case *httpfacts.Facts:
		return f, int(f.Status)
	case *rpcfacts.Facts:
		if f.GRPC {
			return &f.Facts, rpcStatus + int(f.Code) - 1
		}
		return &f.Facts, int(f.Status)
	case *dns.Facts:
		return &httpfacts.Facts{Method: []byte("A"), Target: f.Question}, map[uint8]int{0: nameFound, 3: noName}[f.RCode]
	case *dbfacts.Facts:
		status := operationDone
		if f.Failed {
			status = operationFailed
		}
		return &httpfacts.Facts{Method: nameOf(f)}, status
	case *amqp.Facts:
		name := f.Operation
		if len(f.Error) > 0 {
			name += " " + string(f.Error)
		}
		return &httpfacts.Facts{Method: []byte(name), Target: f.Destination}, operationDone
	case *kafka.Facts:
		name := f.Operation
		if len(f.Error) > 0 {
			name += " " + string(f.Error)
		}
		return &httpfacts.Facts{Method: []byte(name), Target: f.Destination}, operationDone
	}
	return &httpfacts.Facts{}, 0
}

// nameOf names an operation of a database: what was asked, and the error.
func nameOf(f *dbfacts.Facts) (name []byte) {
	if f.Prepares {
		name = append(name, "PREPARE "...)
	}
	if f.Statement != nil {
		name = append(name, f.Statement.Text...)
	} else {
		name = append(name, f.Operation...)
	}
	if len(f.Status) > 0 {
		name = append(append(name, ' '), f.Status...)
	}
	return name
}

func goldenLine(ex *exchange.Exchange, first uint64) string {
	f, status := httpOf(ex)
	micros := func(t uint64) float64 {
		if t == 0 {
			return 0
		}
		return float64(int64(t-first)) / 1e3
	}
	line := fmt.Sprintf("%s %-4s %s -> %d %s, start %.1f first byte %.1f end %.1f, sent %d received %d",
		map[event.Role]string{event.RoleClient: "client", event.RoleServer: "server"}[ex.Role],
		f.Method, f.Target, status, ex.Incomplete, micros(ex.Start), micros(ex.FirstByte), micros(ex.End), ex.Sent, ex.Received)
	for text, set := range map[string]bool{", guessed": ex.RoleGuessed} {
		if set {
			line += text
		}
	}
	if ex.Class != exchange.Unary {
		line += fmt.Sprintf(", class %d", ex.Class)
	}
	if f.HeadCut {
		line += ", head cut"
	}
	if f.CallerGone {
		line += ", caller gone"
	}
	return line + fmt.Sprintf(", host %q agent %q", f.Host, f.UserAgent)
}
