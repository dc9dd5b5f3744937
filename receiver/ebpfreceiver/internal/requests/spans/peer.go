package spans

import (
	"strings"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// Peer is what a client would call the server: the name that it had asked for in
// the handshake or looked up, else the address.
func (w *Writer) Peer(ex *exchange.Exchange) string {
	if ex.Encryption != nil && ex.Encryption.ServerName != "" {
		return ex.Encryption.ServerName
	}
	if ex.PeerName != "" {
		return ex.PeerName
	}
	return w.Address(ex.Family, &ex.PeerAddr)
}

// Server writes where the server is, and on its own side who asks.
func (w *Writer) Server(ex *exchange.Exchange) {
	if ex.Family == familyUnix {
		if ex.Role == event.RoleServer {
			w.Client(ex)
		}
		return
	}
	if ex.Role == event.RoleClient {
		w.Text(schema.ServerAddress, w.Peer(ex))
		w.Int(schema.ServerPort, int64(ex.PeerPort))
		return
	}
	server := w.Address(ex.Family, &ex.LocalAddr)
	if ex.Encryption != nil && ex.Encryption.ServerName != "" {
		server = ex.Encryption.ServerName
	}
	w.Text(schema.ServerAddress, server)
	w.Int(schema.ServerPort, int64(ex.LocalPort))
	w.Client(ex)
}

// Client writes on a server's side who asks: whom the peer said that it speaks for,
// else the peer.
func (w *Writer) Client(ex *exchange.Exchange) {
	switch {
	case ex.Client.IsValid():
		w.Text(schema.ClientAddress, ex.Client.Addr().Unmap().String())
		w.Int(schema.ClientPort, int64(ex.Client.Port()))
	case ex.Family != familyUnix:
		w.Text(schema.ClientAddress, w.Address(ex.Family, &ex.PeerAddr))
	}
}

// peer names the service behind a client's request, if the name that was looked
// up is one of Kubernetes. Of all names only these say what they stand for.
func (w *Writer) peer(ex *exchange.Exchange) {
	if ex.Role != event.RoleClient {
		return
	}
	name := ex.PeerName
	if name == "" && ex.Encryption != nil {
		name = ex.Encryption.ServerName
	}
	if name, namespace, ok := kubernetesService(name); ok {
		w.Text(schema.ServicePeerName, name)
		w.Text(schema.ServicePeerNamespace, namespace)
	}
}

// kubernetesService reads the name of a service in Kubernetes' DNS:
// service.namespace.svc, with whatever domain the cluster has; a pod of a
// headless service has its own name in front.
func kubernetesService(name string) (service, namespace string, ok bool) {
	if name == "" {
		return "", "", false
	}
	head, _, ok := strings.Cut(name+".", ".svc.")
	if !ok {
		return "", "", false
	}
	head, namespace, ok = cutLast(head)
	if _, last, more := cutLast(head); more {
		head = last
	}
	return head, namespace, ok && head != "" && namespace != ""
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}
