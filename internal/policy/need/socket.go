package need

import (
	"slices"

	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/operator"
)

// socketKind is the kind of socket that the call is about; false when the class
// does not tell.
func (l *look) socketKind() (kind uint64, ok bool) {
	kind = l.class.Detail()
	return kind, interest.HasSocket(l.event.Name) && kind != interest.SocketOther
}

// connected is true for sends and receives over a socket that has a peer.
func (l *look) connected(t *check.Test) able {
	if kind, ok := l.socketKind(); ok && kind == interest.SocketConnected && interest.Moves(l.event.Name) {
		return boolean(t, true)
	}
	return either
}

// nameChanged is false for them: their peer is the one that they are connected
// to.
func (l *look) nameChanged(t *check.Test) able {
	if kind, ok := l.socketKind(); ok && kind == interest.SocketConnected && interest.Moves(l.event.Name) {
		return boolean(t, false)
	}
	return either
}

// socketTexts are the values that fields have for sockets of a kind.
var socketTexts = map[uint64]map[string][]string{
	interest.SocketConnected: {
		"fd.type":       {"ipv4", "ipv6"},
		"fd.typechar":   {"4", "6"},
		"fd.sockfamily": {"ip"},
	},
	interest.SocketUnix: {
		"fd.type":       {"unix"},
		"fd.typechar":   {"u"},
		"fd.sockfamily": {"unix"},
		"fd.l4proto":    {"<NA>"},
	},
}

// socketType compares a text that the kind of socket tells.
func (l *look) socketType(t *check.Test) able {
	kind, ok := l.socketKind()
	values := socketTexts[kind][t.Left.Ref.Name]
	if !ok || len(values) == 0 || t.Mod != operator.Plain {
		return either
	}
	equal := able{}
	for _, v := range values {
		if slices.ContainsFunc(t.Values, func(k check.Constant) bool { return k.Text == v }) {
			equal.true = true
		} else {
			equal.false = true
		}
	}
	switch t.Op {
	case operator.Eq, operator.In, operator.Intersects:
		return equal
	case operator.Ne:
		return able{equal.false, equal.true}
	default:
		return either
	}
}
