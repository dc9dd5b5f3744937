// Package agent runs the real binary as a child process, for benchmarks and
// end-to-end tests.
package agent

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ready is what the collector logs when every component has started.
const ready = "Everything is ready"

// Both are much longer than it takes: others use the machine, too.
const (
	startTimeout = 3 * time.Minute
	stopTimeout  = time.Minute
)

// EndpointEnv is the variable by which a configuration names the back end.
const EndpointEnv = "SIGHTGLASS_TESTBED_ENDPOINT"

// Agent is one running collector.
type Agent struct {
	Startup time.Duration // from exec to ready

	cmd  *exec.Cmd
	tail *tail
	done chan struct{} // closed when the process is gone
	err  error         // how it ended; valid after done
}

// Start runs binary with the text of a configuration, sending to endpoint, and
// returns when it is ready. Overlays are texts that are merged into it. The
// caller ends it by Stop or Kill.
func Start(ctx context.Context, binary string, config []byte, endpoint string, overlays ...string) (*Agent, error) {
	return StartInto(ctx, io.Discard, binary, config, endpoint, overlays...)
}

// StartInto is Start, and hands everything that the agent prints to out as well,
// from two goroutines.
func StartInto(ctx context.Context, out io.Writer, binary string, config []byte, endpoint string, overlays ...string) (*Agent, error) {
	dir, err := os.MkdirTemp("", "sightglass-bench")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return nil, err
	}
	a := &Agent{cmd: exec.Command(binary, "--config", file), tail: &tail{}, done: make(chan struct{})}
	a.cmd.Env = append(os.Environ(), EndpointEnv+"="+endpoint)
	a.cmd.Stdout = out
	for _, o := range overlays {
		a.cmd.Args = append(a.cmd.Args, "--config", "yaml:"+o)
	}
	stderr, err := a.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := a.cmd.Start(); err != nil {
		return nil, err
	}
	isReady := make(chan struct{})
	go func() {
		a.tail.follow(io.TeeReader(stderr, out), isReady)
		a.err = a.cmd.Wait()
		_ = os.RemoveAll(dir)
		close(a.done)
	}()
	select {
	case <-isReady:
		a.Startup = time.Since(begin)
		return a, nil
	case <-a.done:
		return nil, fmt.Errorf("the agent ended before it was ready (%w):\n%s", a.err, a.tail)
	case <-time.After(startTimeout):
	case <-ctx.Done():
	}
	_ = a.cmd.Process.Kill()
	return nil, fmt.Errorf("the agent was not ready after %s:\n%s", startTimeout, a.tail)
}

// Stop ends the agent and waits until it is gone, so that no program of it is
// attached any more.
func (a *Agent) Stop() error {
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-a.done:
		if a.err != nil {
			return fmt.Errorf("the agent failed (%w):\n%s", a.err, a.tail)
		}
		return nil
	case <-time.After(stopTimeout):
		_ = a.cmd.Process.Kill()
		return fmt.Errorf("the agent did not end within %s:\n%s", stopTimeout, a.tail)
	}
}

// Kill ends the agent at once, as the kernel's out-of-memory killer would.
func (a *Agent) Kill() {
	_ = a.cmd.Process.Kill()
	<-a.done
}

// PID is the agent's process id.
func (a *Agent) PID() int { return a.cmd.Process.Pid }

// Log is the end of what the agent logged.
func (a *Agent) Log() string { return a.tail.String() }

// tail keeps the last lines that the agent logged, for error messages.
type tail struct {
	mu    sync.Mutex
	lines []string
}

const tailLines = 20

// follow reads until the end of r and closes isReady when the agent says so.
func (t *tail) follow(r io.Reader, isReady chan<- struct{}) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for told := false; lines.Scan(); {
		t.add(lines.Text())
		if !told && strings.Contains(lines.Text(), ready) {
			told = true
			close(isReady)
		}
	}
}

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == tailLines {
		t.lines = append(t.lines[:0], t.lines[1:]...)
	}
	t.lines = append(t.lines, line)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}
