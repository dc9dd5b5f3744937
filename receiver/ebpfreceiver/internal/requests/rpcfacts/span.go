package rpcfacts

import (
	"bytes"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

const (
	system      = "grpc"
	otherMethod = "_OTHER"
)

// Describe implements spans.Describer.
func (f *Facts) Describe(ex *exchange.Exchange, w *spans.Writer) bool {
	if !f.GRPC {
		return f.Facts.Describe(ex, w)
	}
	w.Text(schema.RPCSystemName, system)
	f.method(w, f.DescribeServer(ex, w))
	f.outcome(ex, w)
	if f.TargetCut || f.HeadCut {
		w.List(schema.Truncated, "rpc.request.metadata")
	}
	w.Text(schema.NetworkProtocolVersion, f.Version.String())
	f.Parent(w)
	return true
}

// method names the span. A method that the server does not have is one that
// anyone can invent.
func (f *Facts) method(w *spans.Writer, server spans.Server) {
	method := bytes.TrimPrefix(f.Target, []byte("/"))
	if len(method) == 0 || f.TargetCut {
		w.Name(system)
		w.Text(schema.RPCMethod, otherMethod)
		return
	}
	exists := f.Code != Unimplemented && (f.Code != NoCode || f.Status == 200)
	if name, ok := w.Route(server, method, exists); ok {
		w.Name(name)
		w.Text(schema.RPCMethod, name)
		return
	}
	w.Name(system)
	w.Text(schema.RPCMethod, otherMethod)
	w.Unique(schema.RPCMethodOriginal, method)
}

// outcome writes how it ended.
func (f *Facts) outcome(ex *exchange.Exchange, w *spans.Writer) {
	client := ex.Role == event.RoleClient
	if f.Code != NoCode {
		w.Text(schema.RPCStatusCode, f.Code.String())
	}
	switch {
	case f.Code.failed(client):
		w.Text(schema.ErrorType, f.Code.String())
		w.Failed()
	case ex.Incomplete == exchange.ConnectionClosed && f.Code == NoCode && (client || !f.CallerGone):
		w.Text(schema.ErrorType, exchange.ConnectionClosed.String())
		w.Failed()
	}
}
