package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// target is a server under the load of a program that is made for it.
type target struct {
	what  string
	start func(ctx context.Context, dir string) (*server, error)
	// load works for about a time and returns how many requests it made.
	load func(ctx context.Context, s *server, limit time.Duration) (int, error)
}

// targets are what the costs are told of.
var targets = []target{
	{"nginx, `return 200`", startNginx, wrk("/hello")},
	{"nginx, static file of 1 KB", startNginx, wrk("/1k")},
	{"Redis, GET", startRedis, redisBenchmark},
	{"PostgreSQL, `pgbench -S`", startPostgreSQL, pgbench},
}

// server is a running server.
type server struct {
	port int
	dir  string
	user *syscall.Credential // nil: the caller
	cmd  *exec.Cmd
	done chan struct{}
	kids bool // it works in processes of its own, which come and go
}

const (
	serverPatience = 20 * time.Second
	serverPoll     = 20 * time.Millisecond
)

// launch runs a server's program and waits until it answers at its port.
func launch(s *server, name string, args ...string) (*server, error) {
	if err := s.run(name, args...); err != nil {
		return nil, err
	}
	for end := time.Now().Add(serverPatience); time.Now().Before(end); time.Sleep(serverPoll) {
		c, err := net.DialTimeout("tcp", s.addr(), time.Second)
		if err == nil {
			return s, c.Close()
		}
		select {
		case <-s.done:
			return nil, fmt.Errorf("%s ended: %v", name, s.cmd.ProcessState)
		default:
		}
	}
	s.stop()
	return nil, fmt.Errorf("%s does not answer at %s", name, s.addr())
}

// run runs a server's program.
func (s *server) run(name string, args ...string) error {
	path, err := lookServer(name)
	if err != nil {
		return err
	}
	s.cmd = exec.Command(path, args...)
	s.cmd.Dir = s.dir
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.user}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.done = make(chan struct{})
	go func() {
		_ = s.cmd.Wait()
		close(s.done)
	}()
	return nil
}

// lookServer finds programs that are not on a user's path too.
func lookServer(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) == 0 {
		return exec.LookPath(filepath.Join("/usr/sbin", name))
	}
	return found[len(found)-1], nil
}

func (s *server) addr() string { return "127.0.0.1:" + strconv.Itoa(s.port) }

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-s.done:
	case <-time.After(serverPatience):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}

// cpu is the CPU time that the server has used. Children count when they have
// ended.
func (s *server) cpu() (time.Duration, error) {
	pid := s.cmd.Process.Pid
	if s.kids {
		return cpuWithChildren(pid)
	}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, file := range tasks {
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue // ended in between
		}
		if err != nil {
			return 0, err
		}
		first, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}

// tick is the unit of CPU time in /proc/PID/stat: USER_HZ, 100 on every
// architecture that Linux runs Go on.
const tick = 10 * time.Millisecond

// cpuWithChildren adds the children that were waited for: proc_pid_stat(5).
func cpuWithChildren(pid int) (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const utime, cstime = 14 - 3, 17 - 3
	if len(fields) <= cstime {
		return 0, fmt.Errorf("stat has only %d fields after the name", len(fields))
	}
	var sum time.Duration
	for _, f := range fields[utime : cstime+1] {
		ticks, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(ticks) * tick
	}
	return sum, nil
}

// newServer has a port that nobody uses now.
func newServer(dir string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	return &server{port: l.Addr().(*net.TCPAddr).Port, dir: dir}, nil
}

const nginxConfig = `
daemon off; master_process off; pid nginx.pid; error_log stderr crit;
events { worker_connections 256; }
http {
	access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; default_type text/plain;
	client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; scgi_temp_path s; uwsgi_temp_path u;
	server {
		listen 127.0.0.1:%d%s; %s
		location / { root www; }
		location = /hello { return 200 "hello\n"; }
	}
}`

// startNginx runs one worker and nothing else.
func startNginx(ctx context.Context, dir string) (*server, error) {
	return startNginxWith(ctx, dir, "", "")
}

// startNginxWith takes what follows the port, and more of the configuration.
func startNginxWith(_ context.Context, dir, listen, more string) (*server, error) {
	s, err := newServer(dir)
	if err != nil {
		return nil, err
	}
	conf, www := filepath.Join(dir, "nginx.conf"), filepath.Join(dir, "www")
	err = errors.Join(
		os.Chmod(dir, 0o755), //nolint:gosec // nginx reads it as another user
		os.Mkdir(www, 0o755), //nolint:gosec // so are the files in it
		os.WriteFile(filepath.Join(www, "1k"), []byte(strings.Repeat("z", 1024)), 0o644), //nolint:gosec // see above
		os.WriteFile(conf, fmt.Appendf(nil, nginxConfig, s.port, listen, more), 0o600),
	)
	if err != nil {
		return nil, err
	}
	return launch(s, "nginx", "-p", dir, "-c", conf, "-e", "stderr")
}

func startRedis(_ context.Context, dir string) (*server, error) {
	s, err := newServer(dir)
	if err != nil {
		return nil, err
	}
	return launch(s, "redis-server", "--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir)
}

// startPostgreSQL makes a cluster of its own, as the user whom the package made.
func startPostgreSQL(ctx context.Context, dir string) (*server, error) {
	s, err := newServer(dir)
	if err != nil {
		return nil, err
	}
	if s.user, err = credentialOf("postgres"); err != nil {
		return nil, fmt.Errorf("%w: %w", exec.ErrNotFound, err)
	}
	initdb, err := lookServer("initdb")
	if err != nil {
		return nil, err
	}
	s.kids = true
	data := filepath.Join(dir, "data")
	if err := os.Chown(dir, int(s.user.Uid), int(s.user.Gid)); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, initdb, "-D", data, "-A", "trust", "-U", "postgres", "--no-sync")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.user}
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	if _, err := launch(s, "postgres", "-D", data, "-p", strconv.Itoa(s.port), "-h", "127.0.0.1", "-k", dir, "-F", "-c", "autovacuum=off"); err != nil {
		return nil, err
	}
	for end := time.Now().Add(serverPatience); ; time.Sleep(serverPoll) { // it answers before it is up
		out, err := exec.CommandContext(ctx, "pgbench", s.pgbench("-i", "-q", "-s", "1")...).CombinedOutput()
		if err == nil {
			return s, nil
		}
		if time.Now().After(end) || errors.Is(err, exec.ErrNotFound) {
			s.stop()
			return nil, fmt.Errorf("pgbench -i: %w\n%s", err, out)
		}
	}
}

func credentialOf(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(err1, err2)
}
