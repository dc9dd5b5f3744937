package need

import (
	"slices"

	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/operator"
)

// able says what a comparison can come to for the events of a class.
type able struct{ true, false bool }

var either = able{true, true}

func always(v bool) able { return able{v, !v} }

// decided are the fields whose comparisons the class can decide. Each has a value
// for the calls of which that is said.
var decided = map[string]func(*look, *check.Test) able{
	"evt.rawres":        (*look).rawRes,
	"evt.failed":        (*look).failed,
	"evt.res":           (*look).res,
	"evt.is_open_read":  openMode(events.OpenRead),
	"evt.is_open_write": openMode(events.OpenWrite),
	"fd.connected":      (*look).connected,
	"fd.name_changed":   (*look).nameChanged,
	"fd.type":           (*look).socketType,
	"fd.typechar":       (*look).socketType,
	"fd.sockfamily":     (*look).socketType,
	"fd.l4proto":        (*look).socketType,
}

// rawRes compares the result with numbers; the class knows its sign.
func (l *look) rawRes(t *check.Test) able {
	if l.event.Result < 0 || t.Mod != operator.Plain {
		return either
	}
	switch t.Op {
	case operator.In, operator.Intersects:
		out := able{false: true}
		for i := range t.Values {
			out.true = out.true || l.result(operator.Eq, int64(t.Values[i].Value.Num)).true
		}
		return out
	case operator.Eq, operator.Ne, operator.Lt, operator.Le, operator.Gt, operator.Ge:
		return l.result(t.Op, int64(t.Values[0].Value.Num))
	default:
		return either
	}
}

// result compares with one number what is negative if the class failed, and
// else zero or more.
func (l *look) result(op operator.ID, k int64) able {
	if l.class.Failed() {
		switch op {
		case operator.Eq:
			return able{k < 0, true}
		case operator.Ne:
			return able{true, k < 0}
		case operator.Lt:
			return able{true, k < 0}
		case operator.Le:
			return able{true, k < -1}
		case operator.Gt:
			return able{k < -1, true}
		default:
			return able{k < 0, true}
		}
	}
	switch op {
	case operator.Eq:
		return able{k >= 0, true}
	case operator.Ne:
		return able{true, k >= 0}
	case operator.Lt:
		return able{k > 0, true}
	case operator.Le:
		return able{k >= 0, true}
	case operator.Gt:
		return able{true, k >= 0}
	default:
		return able{true, k > 0}
	}
}

func (l *look) failed(t *check.Test) able {
	if l.event.Result < 0 {
		return either
	}
	return boolean(t, l.class.Failed())
}

// boolean compares a truth value that is known.
func boolean(t *check.Test, value bool) able {
	if t.Mod != operator.Plain || len(t.Values) != 1 {
		return either
	}
	same := (t.Values[0].Value.Num != 0) == value
	switch t.Op {
	case operator.Eq, operator.In, operator.Intersects:
		return always(same)
	case operator.Ne:
		return always(!same)
	default:
		return either
	}
}

const success = "SUCCESS"

// res compares the name of the result.
func (l *look) res(t *check.Test) able {
	if l.event.Result < 0 || t.Mod != operator.Plain {
		return either
	}
	succeeds := slices.ContainsFunc(t.Values, func(k check.Constant) bool { return k.Text == success })
	fails := slices.ContainsFunc(t.Values, func(k check.Constant) bool { return k.Text != success })
	switch t.Op {
	case operator.Eq, operator.In, operator.Intersects:
		if l.class.Failed() {
			return able{fails, true}
		}
		return always(succeeds)
	case operator.Ne:
		if l.class.Failed() {
			return able{true, fails}
		}
		return always(!succeeds)
	default:
		return either
	}
}

// openMode compares whether the access mode has a bit.
func openMode(bit uint32) func(*look, *check.Test) able {
	return func(l *look, t *check.Test) able {
		if !interest.HasAccess(l.event.Name) {
			if opensOtherwise[l.event.Name] {
				return either
			}
			return boolean(t, false)
		}
		flags := events.SetByName("open").FromKernel(l.class.Detail())
		return boolean(t, flags&bit != 0)
	}
}

// opensOtherwise have open flags that no class tells.
var opensOtherwise = map[string]bool{"open_by_handle_at": true}
