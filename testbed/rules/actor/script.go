package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// step is a verb and its arguments.
type step []string

// parse reads "verb argument... | verb argument...". An argument with blanks
// stands in single quotes.
func parse(script string) ([]step, error) {
	var steps []step
	for part := range strings.SplitSeq(script, " | ") {
		words, err := split(part)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", part, err)
		}
		if len(words) == 0 {
			return nil, fmt.Errorf("%q: an empty step", script)
		}
		if verbs[words[0]] == nil {
			return nil, fmt.Errorf("%q: no such verb", words[0])
		}
		steps = append(steps, words)
	}
	return steps, nil
}

// split cuts a text at blanks outside single quotes.
func split(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	quoted, begun := false, false
	for _, r := range text {
		switch {
		case r == '\'':
			quoted, begun = !quoted, true
		case r == ' ' && !quoted:
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if quoted {
		return nil, errors.New("a quote is not closed")
	}
	if begun {
		words = append(words, word.String())
	}
	return words, nil
}

// verb does a step. It gets the steps that follow and returns those that are
// still to be done by this process.
type verb func(a *actor, args []string, rest []step) ([]step, error)

// simple is a verb that leaves the rest alone.
func simple(do func(a *actor, args []string) error) verb {
	return func(a *actor, args []string, rest []step) ([]step, error) { return rest, do(a, args) }
}

// verbs is what an actor can do; init fills it, because verbs parse scripts.
var verbs map[string]verb

func init() {
	verbs = map[string]verb{
		"as":    as,
		"env":   simple(setEnv),
		"cd":    simple(func(_ *actor, args []string) error { return os.Chdir(args[0]) }),
		"run":   simple(runProgram),
		"try":   simple(tryProgram),
		"argv0": simple(func(a *actor, args []string) error { a.argv0 = args[0]; return nil }),
		"uid":   simple(become),
		"tty":   simple(func(a *actor, _ []string) error { a.tty = true; return nil }),
		"pause": simple(pause),
		"login": simple(login),
	}
	for _, more := range []map[string]verb{fileVerbs, networkVerbs, processVerbs} {
		maps.Copy(verbs, more)
	}
}

// actor is the state that steps share within one process.
type actor struct {
	argv0 string // of the next program
	tty   bool   // the next program gets a terminal

	held []io.Closer // what lives as long as this process
}

func newActor() *actor { return &actor{} }

func (a *actor) perform(steps []step) error {
	for len(steps) > 0 {
		s := steps[0]
		args := make([]string, len(s)-1)
		for i, arg := range s[1:] {
			args[i] = os.Expand(arg, variable)
		}
		rest, err := verbs[s[0]](a, args, steps[1:])
		if err != nil {
			return fmt.Errorf("%s: %w", strings.Join(s, " "), err)
		}
		steps = rest
	}
	return nil
}

// variable is the value of $PARENT, this process' parent, or of the environment.
func variable(name string) string {
	if name == "PARENT" {
		return strconv.Itoa(os.Getppid())
	}
	return os.Getenv(name)
}

// as NAME ARGUMENT...: a child process of that name does the rest.
func as(a *actor, args []string, rest []step) ([]step, error) {
	cmd, err := player(args[0], args[1:], rest)
	if err != nil {
		return nil, err
	}
	return nil, a.wait(cmd)
}

// run PROGRAM ARGUMENT...: to its end, which has to be a good one.
func runProgram(a *actor, args []string) error {
	return a.wait(exec.Command(args[0], args[1:]...))
}

// try PROGRAM ARGUMENT...: however it ends.
func tryProgram(a *actor, args []string) error {
	err := runProgram(a, args)
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return nil
	}
	return err
}

func (a *actor) wait(cmd *exec.Cmd) error {
	if cmd.Env == nil {
		cmd.Env = without(os.Environ(), scriptEnv)
	}
	if a.argv0 != "" {
		cmd.Args[0] = a.argv0
	}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if a.tty {
		terminal, err := newTerminal()
		if err != nil {
			return err
		}
		defer terminal.close()
		cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal.slave, terminal.slave, terminal.slave
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	}
	a.argv0, a.tty = "", false
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, out.String())
	}
	return nil
}

func setEnv(_ *actor, args []string) error {
	name, value, _ := strings.Cut(args[0], "=")
	return os.Setenv(name, value)
}

// uid NUMBER: this process runs as that user from now on.
func become(_ *actor, args []string) error {
	id, err := number(args[0])
	if err != nil {
		return err
	}
	return syscall.Setresuid(id, id, id)
}

func pause(_ *actor, args []string) error {
	d, err := time.ParseDuration(args[0])
	if err != nil {
		return err
	}
	time.Sleep(d)
	return nil
}

// login NUMBER: the audit user of this process and its children, as a login
// program sets it.
func login(_ *actor, args []string) error {
	return os.WriteFile("/proc/self/loginuid", []byte(args[0]), 0)
}

// terminal is a pseudo terminal.
type terminal struct{ master, slave *os.File }

func newTerminal() (*terminal, error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		return nil, err
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		return nil, err
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	return &terminal{master, slave}, nil
}

func (t *terminal) close() {
	_ = t.slave.Close()
	_ = t.master.Close()
}
