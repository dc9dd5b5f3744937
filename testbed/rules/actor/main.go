// Command actor does what detection rules describe: it opens the file, makes
// the connection, loads the module, under the name and with the ancestors that
// a rule asks for. It is a program of its own, small and static, so that it
// runs in a container that holds nothing else, and starts in a millisecond.
//
// As a stage it reads acts from its standard input, one per line, runs each in
// a process of the act's own name, and answers each with a line: "ok", or what
// went wrong. As an actor it performs the script that is in its environment.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// scriptEnv holds what a process still has to do, as JSON. It is the
// environment and not an argument because rules look at arguments.
const scriptEnv = "SIGHTGLASS_SCRIPT"

// act is one line of a stage's input.
type act struct {
	Name   string `json:"name"`   // of the process that performs it; at most 15 bytes
	Script string `json:"script"` // steps, separated by " | "; they may name $NAME and $HERE, a folder of the act's own
}

// players is where the links lie by which the actor takes other names.
const players = "/opt/sightglass/players"

// The main goroutine stays on the first thread: a process may change its audit
// user and its namespaces by that one only, and children inherit from the thread
// that starts them.
func init() { runtime.LockOSThread() }

func main() {
	var err error
	if script, ok := os.LookupEnv(scriptEnv); ok {
		var steps []step
		if err = json.Unmarshal([]byte(script), &steps); err == nil {
			err = newActor().perform(steps)
		}
	} else {
		err = stage()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// stage serves until its input ends.
func stage() error {
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var a act
		answer := "ok"
		err := json.Unmarshal(lines.Bytes(), &a)
		if err == nil {
			err = run(a)
		}
		if err != nil {
			answer = strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
		}
		fmt.Println(answer)
	}
	return lines.Err()
}

// run performs an act to its end.
func run(a act) error {
	steps, err := parse(a.Script)
	if err != nil {
		return err
	}
	here := filepath.Join(filepath.Dir(players), "acts", a.Name)
	if err := os.MkdirAll(here, 0o755); err != nil {
		return err
	}
	// A process that has become another user still takes other names.
	if err := os.MkdirAll(players, 0o755); err != nil {
		return err
	}
	if err := os.Chmod(players, 0o777); err != nil {
		return err
	}
	for name, value := range map[string]string{"NAME": a.Name, "HERE": here} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	cmd, err := player(a.Name, nil, steps)
	if err != nil {
		return err
	}
	// A session of its own: nothing of an act outlives it, and what it does to
	// its terminal is its own affair.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// player is this program under another name, with the steps that are left.
func player(name string, args []string, steps []step) (*exec.Cmd, error) {
	script, err := json.Marshal(steps)
	if err != nil {
		return nil, err
	}
	file, err := link(name)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(file, args...)
	cmd.Env = append(without(os.Environ(), scriptEnv), scriptEnv+"="+string(script))
	return cmd, nil
}

// link makes a name for this program. A symbolic link: the kernel takes a
// process' name from the path it was started by, and a hard link would copy the
// file into the writable layer of a container.
func link(name string) (string, error) {
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return "", err
	}
	file := name
	if !filepath.IsAbs(name) {
		file = filepath.Join(players, name)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	if err := os.Symlink(self, file); err != nil && !os.IsExist(err) {
		return "", err
	}
	return file, nil
}

// without is env without a variable.
func without(env []string, name string) []string {
	out := make([]string, 0, len(env))
	for _, e := range env {
		if !strings.HasPrefix(e, name+"=") {
			out = append(out, e)
		}
	}
	return out
}
