//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/schema"
)

// untilRead has the writer of a process substitution wait until its parent has executed the
// program that reads it: a child with such a parameter.
const untilRead = `until for child in $(</proc/$$/task/$$/children); do
	{ read -rd "" name; read -rd "" file; } </proc/$child/cmdline; [[ $file == /dev/fd/* ]] && break
done 2>/dev/null; do :; done`

// TestLivePipes: whose output a program reads, or runs, is known however short
// the others live. The programs are no downloaders, only in their place.
func TestLivePipes(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("bash is not installed")
	}
	l := newLive(t, nil)
	l.start(t)
	self := strconv.Itoa(os.Getpid())
	for name, tt := range map[string]struct {
		script    string // $0 is a word that no other process has
		attribute string
		want      string
	}{
		"pipe":                     {`env seq 3 | { read x; exec cat - /dev/null $0; }; true`, schema.ProcessStdinFrom, "seq"},
		"long pipe":                {`env seq 3 | env head | { read x; exec cat - /dev/null $0; }; true`, schema.ProcessStdinFrom, "seq"},
		"process substitution":     {`f() { wait $!; $BASH $1 $0; }; f <(env seq 3)`, schema.ProcessScriptFrom, `["seq"]`},
		"in the other order":       {`$BASH <(` + untilRead + `; exec seq 3 $0); true`, schema.ProcessScriptTo, "bash"},
		"command substitution":     {`$BASH -c "$(env seq 3)" $0; true`, schema.ProcessScriptFrom, `["seq"]`},
		"of the last command":      {`(exec $BASH -c "$(env seq 3)" $0); true`, schema.ProcessScriptFrom, `["seq"]`},
		"of two commands":          {`$BASH -c "$(env seq 3; env date)" $0; true`, schema.ProcessScriptFrom, `["seq","date"]`},
		"of a pipeline":            {`$BASH -c "$(env seq 3 | env head)" $0; true`, schema.ProcessScriptFrom, `["seq"]`},
		"substitution before that": {`x=$(env seq 3); env true; $BASH -c "$x" $0; true`, schema.ProcessScriptFrom, ""},
		"no substitution":          {`env seq 3; $BASH -c "true; :" $0; true`, schema.ProcessScriptFrom, ""},
	} {
		t.Run(name, func(t *testing.T) {
			mark := marker(t)
			_ = exec.Command(bash, "-c", tt.script, mark).Run() // the scripts are what they are
			f := l.find(t, schema.EventProcessExec, func(f found) bool {
				args := f.text(schema.ProcessCommandArgs)
				return strings.HasSuffix(args, `,"`+mark+`"]`) && f.text(schema.ProcessName) != "env" && f.text(schema.ProcessParentPID) != self
			})
			require.Equal(t, tt.want, f.text(tt.attribute))
		})
	}
}
