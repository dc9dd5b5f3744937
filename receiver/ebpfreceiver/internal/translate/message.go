package translate

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/process"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// moves tells whether a call sends or receives over a socket.
func moves(spec *syscalls.Spec) bool {
	for i := range spec.Args {
		switch spec.Args[i].Kind {
		case syscalls.KindMessage, syscalls.KindMessageOut, syscalls.KindMessagesOut:
			return true
		case syscalls.KindBytes, syscalls.KindBytesOut:
			return i > 0 && spec.Args[0].Kind == syscalls.KindFD
		default:
		}
	}
	return false
}

// message writes what a send or receive says about its socket: whether it had
// a peer before, which side this is, and whether the peer is another one than
// the last time.
func (l *Logs) message(attrs pcommon.Map, c call, s *event.Socket) {
	if s.Family != unix.AF_INET && s.Family != unix.AF_INET6 {
		return
	}
	before := &c.Args[0].Socket
	connected := before.PeerPort != 0
	attrs.PutBool(schema.SocketConnected, connected)
	attrs.PutStr(schema.SocketRole, sideOf(s))
	if connected || transport(s) == "tcp" || s.PeerPort == 0 {
		attrs.PutBool(schema.FileNameChanged, false)
		return
	}
	attrs.PutBool(schema.FileNameChanged, l.peers.change(peerOf{l.self, c.Args[0].Int()}, peer{s.PeerAddr, s.PeerPort}))
}

// firstEphemeral is where the ports begin that the kernel hands out to clients.
const firstEphemeral = 32768

// sideOf is the side of a socket of which neither connect nor accept was seen.
// The kernel knows who has made a connection of TCP. With datagrams, who has
// chosen its port is a server, and so is who is spoken to at a low port from a
// high one.
func sideOf(s *event.Socket) string {
	server := s.Accepted
	if transport(s) != "tcp" {
		server = s.Bound || s.LocalPort < firstEphemeral && s.PeerPort >= firstEphemeral
	}
	if server {
		return "server"
	}
	return "client"
}

// peerOf is a descriptor of a process.
type peerOf struct {
	process process.Key
	fd      int32
}

// peer is who a datagram came from or went to.
type peer struct {
	addr [16]byte
	port uint16
}

// peers remembers the last peer of each descriptor that exchanges datagrams. A
// full one is emptied: a peer then counts as another one once more.
type peers struct{ last map[peerOf]peer }

const maxPeers = 8192

// change notes a peer and tells whether it is another one than before.
func (p *peers) change(of peerOf, now peer) bool {
	if last, ok := p.last[of]; ok && last == now {
		return false
	}
	if p.last == nil || len(p.last) >= maxPeers {
		p.last = make(map[peerOf]peer)
	}
	p.last[of] = now
	return true
}

// forget is for a descriptor that stands for another socket now.
func (p *peers) forget(of peerOf) { delete(p.last, of) }
