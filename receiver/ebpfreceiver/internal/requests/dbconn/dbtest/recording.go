package dbtest

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

var (
	update = flag.Bool("update", false, "write the golden files anew")
	record = flag.Bool("record", false, "record the conversations of real programs anew, into testdata")
)

// Recording skips the test unless recordings are to be made anew.
func Recording(t *testing.T) {
	t.Helper()
	if !*record {
		t.Skip("records only with -record")
	}
}

// Record writes what play and a server at an address say to each other into
// testdata/NAME.conversation. play is told which address to use instead.
func Record(t *testing.T, name, upstream string, play func(addr string)) {
	t.Helper()
	Save(t, name, Capture(t, upstream, play))
}

// Capture returns what Record writes.
func Capture(t *testing.T, upstream string, play func(addr string)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed below
	require.NoError(t, err)
	r := &recorder{upstream: upstream}
	var wg sync.WaitGroup
	wg.Go(func() { r.accept(l) })
	play(l.Addr().String())
	require.NoError(t, l.Close())
	wg.Wait()
	return r.text.String()
}

// Save writes a recording.
func Save(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll("testdata", 0o750))
	require.NoError(t, os.WriteFile(filepath.Join("testdata", name+".conversation"), []byte(text), 0o600))
}

// recorder stands between a client and a server.
type recorder struct {
	upstream string

	mu   sync.Mutex
	text strings.Builder
}

func (r *recorder) accept(l net.Listener) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for n := 1; ; n++ {
		client, err := l.Accept()
		if err != nil {
			return
		}
		server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", r.upstream)
		if err != nil {
			_ = client.Close()
			continue
		}
		wg.Go(func() { r.pass(n, '>', server, client) })
		wg.Go(func() { r.pass(n, '<', client, server) })
	}
}

// line writes down what was read: its length, and as much of its beginning as
// may ever be copied, and its end.
func (r *recorder) line(n int, way byte, data []byte) {
	head := data[:min(len(data), maxHead)]
	tail := data[max(len(head), len(data)-Rear):]
	fmt.Fprintf(&r.text, "%d %c %d %q %q\n", n, way, len(data), head, tail)
}

// maxHead is the most that the kernel copies of a segment.
const maxHead = 4096

// pass hands on what comes from a side: a line for each read.
func (r *recorder) pass(n int, way byte, to, from net.Conn) {
	defer to.Close()
	buf := make([]byte, 16<<10)
	for {
		k, err := from.Read(buf)
		if k > 0 {
			r.mu.Lock()
			r.line(n, way, buf[:k])
			r.mu.Unlock()
			if _, err := to.Write(buf[:k]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// Golden replays the recordings in testdata and compares what is found with the
// golden files beside them. Both ends of a connection must see the same.
func Golden(t *testing.T, p exchange.Protocol, bound int) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.conversation")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".conversation"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			require.NoError(t, err)
			got := replay(t, p, string(raw), bound, false)
			require.Equal(t, got, replay(t, p, string(raw), bound, true), "the client's view differs")
			golden := strings.TrimSuffix(file, ".conversation") + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

var errLine = errors.New("not a line of a recording")

// parseLine reads a line that recorder.line has written. What was not written
// down is zero.
func parseLine(line string) (conn int, side exchange.Side, data string, err error) {
	var way, head, tail string
	var size int
	if _, err = fmt.Sscanf(line, "%d %s %d %q %q", &conn, &way, &size, &head, &tail); err != nil {
		return 0, 0, "", err
	}
	switch {
	case conn < 1 || len(head)+len(tail) > size || size > 1<<20 || way != ">" && way != "<":
		return 0, 0, "", errLine
	case way == "<":
		side = exchange.Response
	}
	return conn, side, head + strings.Repeat("\x00", size-len(head)-len(tail)) + tail, nil
}

// replay tells what is found in a recording, connection by connection.
func replay(t *testing.T, p exchange.Protocol, text string, bound int, client bool) string {
	t.Helper()
	var scripts []*Script
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		n, side, data, err := parseLine(lines.Text())
		require.NoError(t, err)
		for len(scripts) < n {
			scripts = append(scripts, NewScript(p, client, false))
		}
		scripts[n-1].Seg(side, data, bound)
	}
	require.NoError(t, lines.Err())
	var out strings.Builder
	for i, s := range scripts {
		s.Close()
		fmt.Fprintf(&out, "connection %d\n", i+1)
		for _, what := range s.whats(true) {
			fmt.Fprintln(&out, "  "+what)
		}
		for _, form := range s.Opaqued {
			fmt.Fprintln(&out, "  not decoded:", form)
		}
		for why, n := range s.Counted {
			fmt.Fprintln(&out, "  counted:", why, n)
		}
	}
	return out.String()
}

// FreeAddress returns an address that nobody listens at.
func FreeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

// Await waits until a server takes connections.
func Await(t *testing.T, addr string) {
	t.Helper()
	require.Eventually(t, func() bool {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		if err != nil {
			return false
		}
		return c.Close() == nil
	}, 20*time.Second, 20*time.Millisecond)
}
