package main

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// The sizes that are compared: 40 services with ten operations each, and with 2,500.
const (
	services       = 40
	fewOperations  = 10
	manyOperations = 2500
	batchSpans     = 100
)

// fleet makes batches of 100 spans of one service each. There is one batch that
// is written anew each time, because a connector gets spans that a receiver has
// just made, not such as have lain in memory for long.
type fleet struct {
	operations    int
	names, routes []string // by operation
	services      []string

	batch   ptrace.Traces
	service []pcommon.Value // attributes that name the service
	route   []pcommon.Value // by span
	span    []ptrace.Span
	now     time.Time
	next    int // batch
}

func newFleet(operations int) *fleet {
	f := &fleet{operations: operations, batch: ptrace.NewTraces(), now: time.Now()}
	for i := range operations {
		f.routes = append(f.routes, fmt.Sprintf("/api/v1/resource-%d/{id}", i))
		f.names = append(f.names, "GET "+f.routes[i])
	}
	for i := range services {
		f.services = append(f.services, fmt.Sprint("service-", i))
	}
	rs := f.batch.ResourceSpans().AppendEmpty()
	resource := rs.Resource().Attributes()
	for k, v := range map[string]string{
		"service.namespace": "shop", "k8s.namespace.name": "prod", "k8s.pod.name": "pod-5d4f-x",
		"k8s.pod.uid": "uid-1", "container.id": "container-1", "host.name": "node-1",
	} {
		resource.PutStr(k, v)
	}
	resource.PutStr("service.name", "")
	resource.PutStr("k8s.deployment.name", "")
	for _, name := range []string{"service.name", "k8s.deployment.name"} {
		v, _ := resource.Get(name)
		f.service = append(f.service, v)
	}
	spans := rs.ScopeSpans().AppendEmpty().Spans()
	spans.EnsureCapacity(batchSpans)
	for i := range batchSpans {
		f.add(spans.AppendEmpty(), i)
	}
	return f
}

func (f *fleet) add(span ptrace.Span, i int) {
	span.SetKind(ptrace.SpanKindServer)
	span.SetTraceID([16]byte{1, byte(i)})
	span.SetSpanID([8]byte{2, byte(i)})
	span.SetEndTimestamp(pcommon.NewTimestampFromTime(f.now))
	a := span.Attributes()
	a.PutStr("http.request.method", "GET")
	a.PutStr("url.scheme", "https")
	a.PutStr("http.route", "")
	a.PutStr("url.path", "/api/v1/resource/17")
	a.PutInt("http.response.status_code", 200)
	a.PutStr("network.protocol.version", "1.1")
	a.PutStr("server.address", "shop.example")
	a.PutInt("server.port", 443)
	a.PutStr("client.address", "192.0.2.7")
	a.PutStr("network.peer.address", "10.1.2.3")
	a.PutInt("network.peer.port", 51234)
	a.PutStr("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)")
	route, _ := a.Get("http.route")
	f.route = append(f.route, route)
	f.span = append(f.span, span)
}

// series is how many series the spans make.
func (f *fleet) series() int { return services * f.operations }

// write makes the next batch: of each service in turn, so that in so many
// batches as round returns every series has come.
func (f *fleet) write() ptrace.Traces {
	s := f.next % services
	for _, v := range f.service {
		v.SetStr(f.services[s])
	}
	for i := range batchSpans {
		operation := (f.next/services*batchSpans + i) % f.operations
		f.route[i].SetStr(f.routes[operation])
		f.span[i].SetName(f.names[operation])
		duration := time.Duration(1+(operation*7919+s+f.next*31)%100_000) * 10 * time.Microsecond
		f.span[i].SetStartTimestamp(pcommon.NewTimestampFromTime(f.now.Add(-duration)))
	}
	f.next++
	return f.batch
}

// round is the number of batches with every series at least once.
func (f *fleet) round() int { return services * max(1, f.operations/batchSpans) }

// feed writes n batches and has c, unless it is nil, consume them.
func (f *fleet) feed(c connector.Traces, n int) error {
	for range n {
		td := f.write()
		if c == nil {
			continue
		}
		if err := c.ConsumeTraces(context.Background(), td); err != nil {
			return err
		}
	}
	return nil
}
