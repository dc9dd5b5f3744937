//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/internal/schema"
)

// TestLiveTLSSessions compares what both sides tell, in its order, with what a client got
// whose sessions get new keys, shake hands again and go on with other connections, where
// data may go with the first flight. What is refused of that the client writes again; the
// first time is told as a request without an answer. Both ends have a certificate.
func TestLiveTLSSessions(t *testing.T) {
	needs(t, "python3", "openssl")
	libraries, _ := filepath.Glob("/usr/lib/*-linux-gnu/libssl.so.3")
	if len(libraries) == 0 {
		t.Skip("OpenSSL is not installed")
	}
	l := newTLSLive(t, nil)
	dir, port := t.TempDir(), freeport.Port(t)
	certificate(t, dir)
	program := []string{"python3", "testdata/tlssessions.py", libraries[0]}
	startProgram(t, port, append(program, "serve", dir, strconv.Itoa(port))...)
	for name, acts := range map[string]string{
		"1.2":             "/ok/1 again /ok/2 again /no/3 /ok/again/4 /no/5 resume /no/6 /ok/7 again /ok/8 resume /no/again/9 /ok/10",
		"1.3":             "/ok/1 update /no/2 update update /ok/3 /ok/update/4 /no/5 resume /no/6 update /ok/7 resume update /ok/8 /no/update/9 /ok/10",
		"1.3, early data": "/ok/1 early:/no/2 /ok/3 early:/ok/4 early:/ok/5 /no/refuse/6 early:/refused/7 /ok/8 /no/9 early:/ok/10 /ok/11",
	} {
		t.Run(name, func(t *testing.T) {
			mark := marker(t)
			line := slices.Concat(program, []string{"ask", dir, strconv.Itoa(port), name[:len("1.3")]})
			for act := range strings.FieldsSeq(acts) {
				if strings.Contains(act, "/") {
					act += "/" + mark
				}
				line = append(line, act)
			}
			cmd := exec.Command(line[0], line[1:]...)
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			require.NoError(t, err)
			want := strings.Split(strings.TrimSpace(string(out)), "\n")
			l.requireInOrder(t, ptrace.SpanKindServer, want, mark)
			if i := slices.IndexFunc(want, func(line string) bool { return strings.HasPrefix(line, "/refused/") }); i >= 0 {
				path, _, _ := strings.Cut(want[i], " ")
				want = slices.Insert(want, i, path+" "+incomplete)
			}
			l.requireInOrder(t, ptrace.SpanKindClient, want, mark)
		})
	}
}

// incomplete is the status of a request without an answer.
const incomplete = "incomplete"

// requireInOrder waits until a side has told what a client asked one after the other,
// and requires that it is the same, in its order.
func (l *live) requireInOrder(t *testing.T, kind ptrace.SpanKind, want []string, mark string) {
	t.Helper()
	if !soon(func() bool { return len(l.inOrder(kind, mark)) >= len(want) }) {
		t.Log(l.describe())
	}
	require.Equal(t, want, l.inOrder(kind, mark), "%s", kind)
}

// inOrder lists the spans of one side whose path has a mark, as told does, in the order
// in which they began.
func (l *live) inOrder(kind ptrace.SpanKind, mark string) (all []string) {
	spans := slices.SortedFunc(l.marked(kind, mark), func(a, b ptrace.Span) int {
		return cmp.Compare(a.StartTimestamp(), b.StartTimestamp())
	})
	for _, span := range spans {
		outcome := outcomeOf(span)
		if valueOf(span.Attributes(), schema.RequestIncomplete) != "" {
			outcome += incomplete
		}
		all = append(all, outcome)
	}
	return all
}
