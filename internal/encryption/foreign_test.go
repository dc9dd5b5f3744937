package encryption

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestMarksAreFound(t *testing.T) {
	marks := []mark{{"/rustls-0.", "rustls"}, {"ssl_lib.cc", "BoringSSL"}}
	far := strings.Repeat("x", 2*markChunk-5) // the next lies across two chunks
	for text, want := range map[string]int{
		"": 2, "nothing": 2, "src/rustls-0.23/x": 0, "ssl_lib.cc": 1, "ssl_lib.cc /rustls-0.": 0,
		far + "/rustls-0.23": 0, far + "ssl_lib.c": 2, far + "ssl_lib.cc" + far: 1,
	} {
		best := len(marks)
		search(strings.NewReader(text), marks, &best)
		require.Equal(t, want, best, "%d bytes", len(text))
	}
}

func TestMarkedPrograms(t *testing.T) {
	content, err := os.Open("/usr/bin/env")
	if err != nil {
		t.Skip(err)
	}
	defer func() { require.NoError(t, content.Close()) }()
	require.Equal(t, "GNU", marked(content, []mark{{"no such text", "none"}, {"coreutils", "GNU"}}))
	require.Empty(t, marked(content, marks))
	require.Empty(t, marked(strings.NewReader("#!/bin/sh"), marks))
}

// Who encrypts by something that is not known is told by what its program holds,
// also when it is looked at again.
func TestProgramsAreExplained(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	pid := uint32(cmd.Process.Pid)
	f := newTestFinder(t, &probed{}, time.Minute)
	before := marks
	marks = []mark{{"coreutils", "GNU sleep"}}
	t.Cleanup(func() { marks = before })
	require.Eventually(t, func() bool { // from its exec on
		f.look(pid)
		require.Equal(t, ReasonUnknown, f.Why(pid))
		clear(f.foreign)
		f.explain(pid)
		return f.Why(pid) == "GNU sleep"
	}, 5*time.Second, time.Millisecond)
	f.look(pid)
	require.Equal(t, "GNU sleep", f.Why(pid))
}

func TestForeignLibraries(t *testing.T) {
	require.Equal(t, "NSS", reason(nil, []mapping{{path: "/usr/bin/firefox"}, {path: "/usr/lib/libssl3.so"}}))
	require.Equal(t, ReasonUnmatched, reason([]*file{{Library: Library{Read: true}}}, []mapping{{path: "/usr/bin/x"}, {path: "/usr/lib/libssl3.so"}}))
}
