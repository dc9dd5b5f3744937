package agent

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTailKeepsTheEnd(t *testing.T) {
	tl := &tail{}
	for range tailLines {
		tl.add("early")
	}
	tl.add("last")
	require.Len(t, tl.lines, tailLines)
	require.Contains(t, tl.String(), "last")
}

func TestStartAgentTellsWhyItEnded(t *testing.T) {
	script := filepath.Join(t.TempDir(), "agent")
	require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\necho no such kernel >&2\nexit 3\n"), 0o755))
	_, err := Start(t.Context(), script, []byte("receivers: {}\n"), "127.0.0.1:1")
	require.ErrorContains(t, err, "no such kernel")
	require.ErrorContains(t, err, "exit status 3")
}

func TestAgentStartsAndStops(t *testing.T) {
	script := filepath.Join(t.TempDir(), "agent")
	text := "#!/bin/sh\ntrap 'exit 0' TERM\necho \"sends to $" + EndpointEnv + ", configured by $(cat $2)\" >&2\necho '" + ready + "' >&2\nwhile :; do sleep 0.05; done\n"
	require.NoError(t, os.WriteFile(script, []byte(text), 0o755))
	a, err := Start(t.Context(), script, []byte("receivers: {}\n"), "127.0.0.1:1")
	require.NoError(t, err)
	require.Positive(t, a.Startup)
	require.Contains(t, a.Log(), "sends to 127.0.0.1:1, configured by receivers: {}")
	require.NoError(t, a.Stop())

	a, err = Start(t.Context(), script, nil, "127.0.0.1:1")
	require.NoError(t, err)
	a.Kill()
	require.ErrorIs(t, a.Stop(), os.ErrProcessDone)
}
