package main

import (
	"bufio"
	"context"
	_ "embed"
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

//go:embed config.yaml
var config []byte

// ready is what the collector logs when every component has started.
const ready = "Everything is ready"

const (
	startTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
)

// agent is one running collector, a child process.
type agent struct {
	cmd     *exec.Cmd
	startup time.Duration // from exec to ready
	tail    *tail
	done    chan error // receives the result of Wait, once
}

// startAgent runs binary with the benchmark's configuration, sending to
// endpoint, and returns when it is ready. The caller stops it.
func startAgent(ctx context.Context, binary, endpoint string) (*agent, error) {
	dir, err := os.MkdirTemp("", "sightglass-bench")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return nil, err
	}
	a := &agent{cmd: exec.Command(binary, "--config", file), tail: &tail{}, done: make(chan error, 1)}
	a.cmd.Env = append(os.Environ(), "SIGHTGLASS_BENCH_ENDPOINT="+endpoint)
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
		a.tail.follow(stderr, isReady)
		a.done <- a.cmd.Wait()
		_ = os.RemoveAll(dir)
	}()
	select {
	case <-isReady:
		a.startup = time.Since(begin)
		return a, nil
	case err := <-a.done:
		return nil, fmt.Errorf("the agent ended before it was ready (%w):\n%s", err, a.tail)
	case <-time.After(startTimeout):
	case <-ctx.Done():
	}
	_ = a.cmd.Process.Kill()
	return nil, fmt.Errorf("the agent was not ready after %s:\n%s", startTimeout, a.tail)
}

// stop ends the agent and waits until it is gone, so that no program of it is
// attached any more.
func (a *agent) stop() error {
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-a.done:
		if err != nil {
			return fmt.Errorf("the agent failed (%w):\n%s", err, a.tail)
		}
		return nil
	case <-time.After(stopTimeout):
		_ = a.cmd.Process.Kill()
		return fmt.Errorf("the agent did not end within %s:\n%s", stopTimeout, a.tail)
	}
}

// pid is the agent's process id.
func (a *agent) pid() int { return a.cmd.Process.Pid }

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
