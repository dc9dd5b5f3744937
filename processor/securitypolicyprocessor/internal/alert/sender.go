package alert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/config/configretry"
	"go.uber.org/zap"
)

// Reason is why an alert was not delivered.
type Reason string

// The reasons.
const (
	QueueFull   Reason = "queue_full"  // too many wait already
	Rejected    Reason = "rejected"    // the server does not want it
	Undelivered Reason = "undelivered" // all retries failed
	Shutdown    Reason = "shutdown"    // the program ended first
)

// Options are what a Sender needs.
type Options struct {
	Client    *http.Client
	URL       string
	UserAgent string
	QueueSize int // alerts
	Retry     configretry.BackOffConfig
	Logger    *zap.Logger

	// Called once per alert, and per repetition, from several goroutines.
	Sent    func()
	Retried func()
	Dropped func(reason Reason, n int)
}

// Sender delivers alerts from a goroutine of its own, one after the other.
type Sender struct {
	opts    Options
	queue   *queue
	closing chan struct{}      // closed when Shutdown begins
	cancel  context.CancelFunc // ends what the goroutine waits for
	done    chan struct{}      // closed when the goroutine has ended
	failing bool               // the last attempt failed; the goroutine's own
}

// New makes a sender and starts it.
func New(opts Options) *Sender {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Sender{
		opts: opts, queue: newQueue(opts.QueueSize),
		closing: make(chan struct{}), cancel: cancel, done: make(chan struct{}),
	}
	go s.run(ctx)
	return s
}

// Send queues the JSON of an alert, which belongs to the sender from then on.
// It does not block: what finds no place is dropped and counted.
func (s *Sender) Send(body []byte) {
	if refused := s.queue.push(body); refused != "" {
		s.opts.Dropped(refused, 1)
	}
}

// Waiting is how many alerts wait to be sent.
func (s *Sender) Waiting() int { return s.queue.len() }

// Shutdown takes no further alerts and returns when those that wait are sent,
// or ctx ends; what is left then is dropped. Call it once.
func (s *Sender) Shutdown(ctx context.Context) error {
	s.queue.close()
	close(s.closing)
	var err error
	select {
	case <-s.done:
	case <-ctx.Done():
		err = fmt.Errorf("alerts were not delivered in time: %w", ctx.Err())
	}
	s.cancel()
	<-s.done
	s.opts.Client.CloseIdleConnections()
	return err
}

func (s *Sender) run(ctx context.Context) {
	defer close(s.done)
	for {
		body, ok := s.queue.pop(ctx)
		if !ok {
			break
		}
		if reason := s.deliver(ctx, body); reason == "" {
			s.opts.Sent()
		} else {
			s.opts.Dropped(reason, 1)
		}
	}
	if n := s.queue.clear(); n > 0 {
		s.opts.Dropped(Shutdown, n)
	}
}

// deliver sends one alert, with repetitions. The reason is empty when the
// server has it.
func (s *Sender) deliver(ctx context.Context, body []byte) Reason {
	began := time.Now()
	wait := s.opts.Retry.InitialInterval
	for {
		err := s.post(ctx, body)
		s.note(err)
		var status *statusError
		switch {
		case err == nil:
			return ""
		case ctx.Err() != nil:
			return Shutdown
		case errors.As(err, &status) && !status.temporary():
			return Rejected
		case !s.opts.Retry.Enabled:
			return Undelivered
		}
		pause := s.jitter(wait)
		if status != nil {
			pause = max(pause, min(status.retryAfter, s.opts.Retry.MaxInterval))
		}
		if limit := s.opts.Retry.MaxElapsedTime; limit > 0 && time.Since(began)+pause > limit {
			return Undelivered
		}
		if !s.pause(ctx, pause) {
			return Shutdown
		}
		s.opts.Retried()
		wait = min(time.Duration(float64(wait)*s.opts.Retry.Multiplier), s.opts.Retry.MaxInterval)
	}
}

// hurry is the longest pause between repetitions once the program ends.
const hurry = 100 * time.Millisecond

// pause waits and reports whether ctx is still good.
func (s *Sender) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	case <-s.closing:
	}
	select {
	case <-timer.C:
	case <-time.After(hurry):
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// jitter spreads d by the randomization factor, so that many agents do not
// come back to a server at one moment.
func (s *Sender) jitter(d time.Duration) time.Duration {
	spread := s.opts.Retry.RandomizationFactor * float64(d)
	return time.Duration(float64(d) - spread + 2*spread*rand.Float64())
}

// maxAnswer is how much of an answer is read so that its connection can be
// used again.
const maxAnswer = 64 << 10

func (s *Sender) post(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.opts.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", s.opts.UserAgent)
	resp, err := s.opts.Client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	// The answer's text says nothing; an error in it changes nothing.
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer)
	if resp.StatusCode/100 != 2 {
		return &statusError{code: resp.StatusCode, retryAfter: retryAfter(resp.Header.Get("Retry-After"))}
	}
	return nil
}

// note logs when delivery begins to fail and when it works again, not each
// failure: those are counted.
func (s *Sender) note(err error) {
	if failing := err != nil; failing != s.failing {
		s.failing = failing
		if failing {
			s.opts.Logger.Warn("alerts cannot be delivered", zap.Error(err))
		} else {
			s.opts.Logger.Info("alerts are delivered again")
		}
	}
}

// statusError is an answer that is no success.
type statusError struct {
	code       int
	retryAfter time.Duration // as the server asks, 0 when it does not
}

func (e *statusError) Error() string {
	return "the server answers " + strconv.Itoa(e.code) + " " + http.StatusText(e.code)
}

// temporary reports whether another attempt may succeed.
func (e *statusError) temporary() bool {
	return e.code == http.StatusRequestTimeout || e.code == http.StatusTooManyRequests || e.code >= http.StatusInternalServerError
}

// retryAfter reads the header's form in seconds.
func retryAfter(header string) time.Duration {
	seconds, err := strconv.ParseUint(header, 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
