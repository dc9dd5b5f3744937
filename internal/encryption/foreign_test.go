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
	marks := []mark{{text: "/rustls-0.", name: "rustls"}, {text: "ssl_lib.cc", name: "BoringSSL"}}
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
	require.Equal(t, "GNU", marked(content, []mark{{text: "no such text"}, {text: "coreutils", name: "GNU"}}).name)
	require.Nil(t, marked(content, marks))
	require.Nil(t, marked(strings.NewReader("#!/bin/sh"), marks))
}

// Who encrypts by something that is not known is told by what its program holds,
// also when it is looked at again.
func TestProgramsAreExplained(t *testing.T) {
	const told = "GNU sleep in the program, without names"
	cmd := exec.Command("sleep", "60")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	pid := uint32(cmd.Process.Pid)
	f := newTestFinder(t, &probed{}, time.Minute)
	before := marks
	marks = []mark{{text: "coreutils", name: "GNU sleep", nameless: true}}
	t.Cleanup(func() { marks = before })
	require.Eventually(t, func() bool { // from its exec on
		f.look(pid)
		require.Equal(t, ReasonUnknown, f.Why(pid))
		clear(f.foreign)
		f.explain(pid)
		return f.Why(pid) == told
	}, time.Minute, time.Millisecond)
	f.look(pid)
	require.Equal(t, told, f.Why(pid))
}

func TestForeignLibraries(t *testing.T) {
	require.Equal(t, "NSS", reason(nil, []mapping{{path: "/usr/bin/firefox"}, {path: "/usr/lib/libssl3.so"}}))
	require.Equal(t, ReasonUnmatched, reason([]*file{{Library: Library{Read: true}}}, []mapping{{path: "/usr/bin/x"}, {path: "/usr/lib/libssl3.so"}}))
}
