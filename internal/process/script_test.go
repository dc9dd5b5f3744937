package process

import (
	"testing"
	"time"

	"github.com/sightglass/sightglass/internal/event"
)

// sec is a second of event time.
const sec = uint64(time.Second)

// script applies events to a table whose /proc is empty.
type script struct {
	t   *testing.T
	tab *Table
	now uint64
}

func newScript(t *testing.T, opts Options) *script {
	t.Helper()
	if opts.Proc == "" {
		opts.Proc = t.TempDir()
	}
	return &script{t: t, tab: New(opts), now: 1000 * sec}
}

func key(tgid uint32, start uint64) Key { return Key{TGID: tgid, Start: start} }

func (s *script) event(typ event.Type, k Key, name string) *event.Event {
	return &event.Event{
		Header: event.Header{Type: typ, Time: s.now, Key: k, TID: k.TGID},
		Task:   event.Task{Comm: []byte(name), LoginUID: event.NoID, Session: event.NoID},
	}
}

func (s *script) fork(parent, child Key, name string) Change {
	ev := s.event(event.TypeFork, child, name)
	ev.Fork.Parent, ev.Task.Parent = parent, parent
	return s.tab.Apply(ev)
}

func (s *script) exec(k Key, path string, args ...string) Change {
	ev := s.event(event.TypeExec, k, path[max(0, len(path)-15):])
	ev.Exec.Path = []byte(path)
	for _, a := range args {
		ev.Exec.Args = append(append(ev.Exec.Args, a...), 0)
	}
	return s.tab.Apply(ev)
}

func (s *script) exit(k Key) Change {
	ev := s.event(event.TypeExit, k, "x")
	ev.Exit.Code = 3
	return s.tab.Apply(ev)
}

func (s *script) names(k Key) []string {
	var out []string
	for _, p := range s.tab.AppendAncestors(nil, k, MaxAncestors) {
		out = append(out, p.Name)
	}
	return out
}
