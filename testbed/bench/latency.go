package main

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"time"
)

// lateness is how late one kind of record is.
type lateness struct {
	what                                   string
	records                                int
	readP50, readP99, arriveP50, arriveP99 time.Duration
}

// The kinds of record whose way is timed, and what makes them.
var kinds = []struct{ name, what string }{
	{"sightglass.process.exec", "command run"},
	{"sightglass.policy.match", "detection (cat /etc/shadow)"},
	{"span", "HTTP request (span)"},
}

// latency runs commands, detections and requests at an easy pace and returns
// how long each took from the kernel's timestamp to the back end.
func (b *bench) latency(ctx context.Context) ([]lateness, error) {
	a, err := b.start(ctx)
	if err != nil {
		return nil, err
	}
	b.progress("latency: %s of commands and requests", b.latencyTime)
	b.delays.take()
	activity(ctx, b.latencyTime)
	time.Sleep(time.Second) // the last records are still on their way
	seen := b.delays.take()
	if err := a.Stop(); err != nil {
		return nil, err
	}
	var out []lateness
	for _, k := range kinds {
		d := seen[k.name]
		if d == nil {
			d = &delay{}
		}
		out = append(out, lateness{
			what: k.what, records: len(d.arrival),
			readP50: percentile(d.read, 50), readP99: percentile(d.read, 99),
			arriveP50: percentile(d.arrival, 50), arriveP99: percentile(d.arrival, 99),
		})
	}
	return out, nil
}

// activity is about twenty commands and requests a second, at random times, so
// that they do not fall into step with the agent's timer.
func activity(ctx context.Context, limit time.Duration) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok")
	}))
	defer server.Close()
	for end := time.Now().Add(limit); time.Now().Before(end) && ctx.Err() == nil; {
		time.Sleep(time.Duration(rand.IntN(60)) * time.Millisecond)
		_ = exec.CommandContext(ctx, "/bin/true").Run()
		if rand.IntN(4) == 0 {
			_ = exec.CommandContext(ctx, "/bin/cat", "/etc/shadow").Run()
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/bench", http.NoBody)
		if err != nil {
			return
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
}
