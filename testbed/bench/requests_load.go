package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// connections of every load but pgbench's.
const loadConnections = 16

// wrk loads a path with as many requests as go.
func wrk(path string) func(context.Context, *server, time.Duration) (int, error) {
	return wrkAt("http://", path)
}

func wrkAt(scheme, path string) func(context.Context, *server, time.Duration) (int, error) {
	return func(ctx context.Context, s *server, limit time.Duration) (int, error) {
		out, err := output(ctx, "wrk", "-t1", "-c"+strconv.Itoa(loadConnections), "-d"+limit.String(), scheme+s.addr()+path)
		if err != nil {
			return 0, err
		}
		// what was under way at the end is not in the number that it tells
		return numberBefore(out, "requests in")
	}
}

// redisOperations is how many GETs stand for a second.
const redisOperations = 40_000

func redisBenchmark(ctx context.Context, s *server, limit time.Duration) (int, error) {
	n := int(redisOperations * limit.Seconds())
	_, err := output(ctx, "redis-benchmark", "-p", strconv.Itoa(s.port), "-t", "get", "-c", strconv.Itoa(loadConnections), "-n", strconv.Itoa(n), "-q")
	return n, err
}

func (s *server) pgbench(args ...string) []string {
	return append(args, "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-U", "postgres", "postgres")
}

func pgbench(ctx context.Context, s *server, limit time.Duration) (int, error) {
	seconds := strconv.Itoa(max(1, int(limit.Seconds())))
	out, err := output(ctx, "pgbench", s.pgbench("-n", "-S", "-c", "4", "-T", seconds)...)
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(out, "number of transactions actually processed: ")
	n, _, _ := strings.Cut(after, "\n")
	return strconv.Atoi(n)
}

func output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return string(out), nil
}

var errNoNumber = errors.New("the load program told no number")

// numberBefore finds a line that begins with a number and these words.
func numberBefore(text, words string) (int, error) {
	for line := range strings.Lines(text) {
		n, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(rest, words) {
			return strconv.Atoi(n)
		}
	}
	return 0, errNoNumber
}
