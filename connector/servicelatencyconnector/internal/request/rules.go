package request

import (
	"net/netip"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/internal/schema"
)

// rules bring the attributes of a span into the form that its metric wants.
var rules = [definitions]func(*Fields, ptrace.Span){
	httpServer:       httpRules,
	httpClient:       httpRules,
	rpcServer:        rpcRules,
	rpcClient:        rpcRules,
	dbClient:         dbRules,
	dbServer:         dbRules,
	messagingClient:  messagingRules,
	messagingProcess: messagingRules,
	messagingServer:  messagingRules,
	dnsLookup:        noRules,
	otherServer:      otherRules,
	otherClient:      otherRules,
}

func noRules(*Fields, ptrace.Span) {}

func httpRules(f *Fields, span ptrace.Span) {
	if !knownMethod(f.Text(HTTPMethod)) {
		f.put(HTTPMethod, aggregate.StringValue("_OTHER"))
	}
	if f.Has(HTTPRoute) { // known, so no guess is needed
		f.drop(RouteInferred)
	}
	status := f.number(HTTPStatus)
	f.inferClass(status)
	failed := span.Status().Code() == ptrace.StatusCodeError
	if !f.Has(ErrorType) && (failed && status >= 400 || span.Status().Code() != ptrace.StatusCodeOk && status >= 500) {
		f.put(ErrorType, statusText(status))
	}
}

// knownMethod holds the methods of RFC 9110 and those registered since that are
// in use; any client can invent others.
func knownMethod(method string) bool {
	switch method {
	case "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE", "QUERY":
		return true
	default:
		return false
	}
}

// number makes an attribute that some SDKs send as text a number. It returns 0
// if the attribute is absent or not a number.
func (f *Fields) number(slot Slot) int64 {
	v := f.Get(slot)
	if v.Kind() != aggregate.String {
		return v.Int()
	}
	n, err := strconv.ParseInt(v.Str(), 10, 64)
	if err != nil {
		return 0
	}
	f.put(slot, aggregate.IntValue(n))
	return n
}

// statusTexts are the codes as text, so that none is built per request.
var statusTexts = func() (texts [600]string) {
	for code := range texts {
		texts[code] = strconv.Itoa(code)
	}
	return texts
}()

func statusText(code int64) aggregate.Value {
	if code < 0 || code >= int64(len(statusTexts)) {
		return aggregate.StringValue(OtherError)
	}
	return aggregate.StringValue(statusTexts[code])
}

// probeAgents are the beginnings of the user agents of health checks.
var probeAgents = []string{"kube-probe/", "GoogleHC/", "ELB-HealthChecker/", "Consul Health Check", "Blackbox Exporter/", "Amazon-Route53-Health-Check"}

// inferClass recognises requests that are not unary where the sender does not say so.
func (f *Fields) inferClass(status int64) {
	if f.Has(Class) {
		return
	}
	const switchingProtocols = 101 // WebSocket and the like: lasts as long as the connection
	if status == switchingProtocols {
		f.put(Class, aggregate.StringValue(schema.ClassStream))
		return
	}
	if agent := f.Text(UserAgent); agent != "" {
		for _, probe := range probeAgents {
			if strings.HasPrefix(agent, probe) {
				f.put(Class, aggregate.StringValue(schema.ClassProbe))
				return
			}
		}
	}
}

// grpcCodes are the names of gRPC's status codes by number.
var grpcCodes = [...]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
	"UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

func rpcRules(f *Fields, span ptrace.Span) {
	if service, method := f.Text(RPCService), f.Text(RPCMethod); service != "" && method != "" && !strings.Contains(method, "/") {
		f.service = service
	}
	if !f.Has(RPCStatus) && f.Has(RPCStatusNumber) {
		if code := f.number(RPCStatusNumber); code >= 0 && code < int64(len(grpcCodes)) {
			f.put(RPCStatus, aggregate.StringValue(grpcCodes[code]))
		}
	}
	f.failWith(span, RPCStatus)
}

func dbRules(f *Fields, span ptrace.Span) { f.failWith(span, DBStatus) }

// failWith names the error of a failed span by its protocol's status.
func (f *Fields) failWith(span ptrace.Span, slot Slot) {
	if span.Status().Code() != ptrace.StatusCodeError || f.Has(ErrorType) {
		return
	}
	switch v := f.Get(slot); v.Kind() {
	case aggregate.String:
		if v.Str() != grpcCodes[0] { // failed after the answer
			f.put(ErrorType, v)
		}
	case aggregate.Int:
		f.put(ErrorType, statusText(v.Int()))
	default:
	}
}

func messagingRules(f *Fields, _ ptrace.Span) {
	// A destination that exists for one conversation has a name of its own each time.
	temporary := f.Get(MessagingTemporary).Bool() || f.Get(MessagingAnonymous).Bool()
	if f.Has(MessagingTemplate) || temporary {
		f.drop(MessagingDestination)
	}
}

func otherRules(f *Fields, span ptrace.Span) {
	// The name of a DNS span is the name that is looked up.
	if name := span.Name(); name != "" && !f.Has(DNSQuestion) {
		f.put(Operation, aggregate.StringValue(name))
	}
}

// finish applies what holds for all protocols.
func (f *Fields) finish(m *Metric, r *Resource, status ptrace.StatusCode) {
	if status == ptrace.StatusCodeError && !f.Has(ErrorType) {
		f.put(ErrorType, aggregate.StringValue(OtherError))
	}
	switch f.Text(Class) {
	case schema.ClassStream, schema.ClassWait, schema.ClassProbe, schema.ClassOneWay:
	default: // unary is what a series without the attribute counts
		f.drop(Class)
	}
	if m.Server && r.inPod && loopback(f.Text(PeerAddress)) {
		f.put(WithinPod, aggregate.BoolValue(true))
	}
}

// Unary reports whether the request counts for the service's percentiles.
func (f *Fields) Unary() bool { return !f.Has(Class) }

// Failed reports whether the request ended in an error.
func (f *Fields) Failed() bool { return f.Has(ErrorType) }

// loopback reports whether an address is the host's own: inside a pod, the
// pod's, from which only its other containers can come.
func loopback(address string) bool {
	if strings.HasPrefix(address, "127.") {
		return true
	}
	if address == "" || address[0] != ':' && address[0] != '0' { // nearly always decides
		return false
	}
	ip, err := netip.ParseAddr(address)
	return err == nil && ip.Unmap().IsLoopback()
}
