package alert

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configretry"
	"go.uber.org/goleak"
	"go.uber.org/zap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tally is what became of the alerts.
type tally struct {
	sent, retried atomic.Int64
	mu            sync.Mutex
	dropped       map[Reason]int
}

func (n *tally) drops() map[Reason]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.dropped)
}

// transport answers requests without a network.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(code int, header ...string) *http.Response {
	rec := httptest.NewRecorder()
	for i := 0; i+1 < len(header); i += 2 {
		rec.Header().Set(header[i], header[i+1])
	}
	rec.WriteHeader(code)
	return rec.Result()
}

func start(tr transport, size int, change ...func(*configretry.BackOffConfig)) (*Sender, *tally) {
	n := &tally{dropped: map[Reason]int{}}
	retry := configretry.BackOffConfig{
		Enabled: true, InitialInterval: time.Second, Multiplier: 2, MaxInterval: 10 * time.Second, MaxElapsedTime: time.Minute,
	}
	for _, c := range change {
		c(&retry)
	}
	return New(Options{
		Client: &http.Client{Transport: tr}, URL: "http://server/", UserAgent: "test", QueueSize: size,
		Retry: retry, Logger: zap.NewNop(),
		Sent:    func() { n.sent.Add(1) },
		Retried: func() { n.retried.Add(1) },
		Dropped: func(reason Reason, count int) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.dropped[reason] += count
		},
	}), n
}

func TestOrderAndCountOverARealServer(t *testing.T) {
	const all = 200
	var mu sync.Mutex
	var got []string
	var types []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got, types = append(got, string(body)), append(types, r.Header.Get("Content-Type"))
		_, _ = w.Write([]byte("ok"))
	}))
	defer server.Close()
	n := &tally{dropped: map[Reason]int{}}
	s := New(Options{
		Client: server.Client(), URL: server.URL, QueueSize: all, Logger: zap.NewNop(),
		Sent: func() { n.sent.Add(1) }, Retried: func() {}, Dropped: func(Reason, int) {},
	})
	var want []string
	for i := range all {
		want = append(want, strconv.Itoa(i))
		s.Send([]byte(want[i]))
	}
	require.NoError(t, s.Shutdown(t.Context()))
	require.Equal(t, want, got)
	require.EqualValues(t, all, n.sent.Load())
	require.Equal(t, "application/json", types[0])
}

func TestRepeatsUntilTheServerIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		began := time.Now()
		s, n := start(func(*http.Request) (*http.Response, error) {
			at = append(at, time.Since(began))
			switch len(at) {
			case 1:
				return nil, io.ErrUnexpectedEOF
			case 2:
				return answer(http.StatusServiceUnavailable), nil
			case 3:
				return answer(http.StatusTooManyRequests, "Retry-After", "7"), nil
			}
			return answer(http.StatusOK), nil
		}, 10)
		s.Send([]byte("a"))
		synctest.Wait()
		time.Sleep(time.Minute)
		require.NoError(t, s.Shutdown(t.Context()))
		require.Equal(t, []time.Duration{0, time.Second, 3 * time.Second, 10 * time.Second}, at)
		require.EqualValues(t, 1, n.sent.Load())
		require.EqualValues(t, 3, n.retried.Load())
		require.Empty(t, n.drops())
	})
}

func TestWhatIsDroppedAndWhy(t *testing.T) {
	down := func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
	for name, tt := range map[string]struct {
		tr     transport
		change func(*configretry.BackOffConfig)
		want   map[Reason]int
	}{
		"the server does not want it": {
			func(*http.Request) (*http.Response, error) { return answer(http.StatusBadRequest), nil },
			func(*configretry.BackOffConfig) {},
			map[Reason]int{Rejected: 1},
		},
		"without repetitions":      {down, func(c *configretry.BackOffConfig) { c.Enabled = false }, map[Reason]int{Undelivered: 1}},
		"after all repetitions":    {down, func(c *configretry.BackOffConfig) { c.MaxElapsedTime = 5 * time.Second }, map[Reason]int{Undelivered: 1}},
		"an attempt still to come": {down, func(c *configretry.BackOffConfig) { c.MaxElapsedTime = 0 }, map[Reason]int{Shutdown: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, n := start(tt.tr, 10, tt.change)
				s.Send([]byte("a"))
				time.Sleep(time.Hour)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if err := s.Shutdown(ctx); tt.want[Shutdown] > 0 {
					require.ErrorIs(t, err, context.DeadlineExceeded)
				} else {
					require.NoError(t, err)
				}
				require.Equal(t, tt.want, n.drops())
				require.Zero(t, n.sent.Load())
			})
		})
	}
}

func TestAFullQueueDropsTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := make(chan struct{})
		var got []string
		s, n := start(func(r *http.Request) (*http.Response, error) {
			<-open
			body, err := io.ReadAll(r.Body)
			got = append(got, string(body))
			return answer(http.StatusNoContent), err
		}, 2)
		s.Send([]byte("0"))
		synctest.Wait() // it is on its way, no longer in the queue
		for _, body := range []string{"1", "2", "3", "4"} {
			s.Send([]byte(body))
		}
		require.Equal(t, 2, s.Waiting())
		require.Equal(t, map[Reason]int{QueueFull: 2}, n.drops())
		close(open)
		require.NoError(t, s.Shutdown(t.Context()))
		require.Equal(t, []string{"0", "1", "2"}, got)
		s.Send([]byte("5"))
		require.Equal(t, map[Reason]int{QueueFull: 2, Shutdown: 1}, n.drops())
		require.EqualValues(t, 3, n.sent.Load())
	})
}

func TestTheQueueIsBoundedInBytes(t *testing.T) {
	q := newQueue(1000)
	big := make([]byte, maxQueuedBytes/2)
	require.Empty(t, q.push(big))
	require.Empty(t, q.push(big))
	require.Equal(t, QueueFull, q.push([]byte("x")))
	_, ok := q.pop(t.Context())
	require.True(t, ok)
	require.Empty(t, q.push([]byte("x")))
}

// A server that accepts and never answers must not hold up the end, and every
// alert is accounted for.
func TestShutdownKeepsItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, n := start(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, 10)
		for range 5 {
			s.Send([]byte("x"))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		require.ErrorIs(t, s.Shutdown(ctx), context.DeadlineExceeded)
		require.Equal(t, 3*time.Second, time.Since(began))
		require.Equal(t, map[Reason]int{Shutdown: 5}, n.drops())
	})
}

// What fails while the program ends is repeated at once, not after the pause
// that was due.
func TestShutdownCutsPausesShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := false
		s, n := start(func(*http.Request) (*http.Response, error) {
			if !up {
				return nil, io.ErrUnexpectedEOF
			}
			return answer(http.StatusOK), nil
		}, 10, func(c *configretry.BackOffConfig) { c.InitialInterval, c.MaxInterval = 30*time.Second, 30*time.Second })
		s.Send([]byte("a"))
		s.Send([]byte("b"))
		synctest.Wait()
		up = true
		began := time.Now()
		require.NoError(t, s.Shutdown(t.Context()))
		require.LessOrEqual(t, time.Since(began), time.Second)
		require.EqualValues(t, 2, n.sent.Load())
	})
}

func TestRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "-3": 0, "Fri, 31 Dec 1999 23:59:59 GMT": 0, "99999999999": 0,
	} {
		require.Equal(t, want, retryAfter(header), header)
	}
}
