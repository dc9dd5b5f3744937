package httpfacts

import (
	"net"
	"strconv"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/httpapi"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// methods are the ones that the conventions know; any other is _OTHER.
var methods = []string{
	"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE", "QUERY",
}

// otherMethod stands for a method that is not among methods.
const otherMethod = "_OTHER"

// KnownMethod tells whether a method is one that the conventions know.
func KnownMethod(b []byte) bool { return methodName(b) != otherMethod }

func methodName(b []byte) string {
	for _, m := range methods {
		if string(b) == m {
			return m
		}
	}
	return otherMethod
}

// Describe implements spans.Describer.
func (f *Facts) Describe(ex *exchange.Exchange, w *spans.Writer) bool {
	if len(f.Method) == 0 && !f.HeadersUnknown {
		return false
	}
	d := description{Facts: f, ex: ex, w: w, client: ex.Role == event.RoleClient}
	d.method = methodName(f.Method)
	d.target = splitTarget(f.Target, d.method == "CONNECT")
	d.recognize()
	w.Text(schema.HTTPRequestMethod, d.method)
	if d.method == otherMethod { // which is also what an unknown one is
		w.Bytes(schema.HTTPRequestMethodOriginal, f.Method)
	}
	d.server()
	d.url()
	d.name()
	d.outcome()
	text := d.api()
	d.cut(text)
	w.Bytes(schema.UserAgent, f.UserAgent)
	w.Text(schema.NetworkProtocolVersion, f.Version.String())
	f.Parent(w)
	return true
}

// DescribeServer writes whom the request was meant for and who sent it, for
// protocols that HTTP carries.
func (f *Facts) DescribeServer(ex *exchange.Exchange, w *spans.Writer) spans.Server {
	d := description{Facts: f, ex: ex, w: w, client: ex.Role == event.RoleClient}
	d.server()
	return d.spanServer()
}

// description is the work on one span.
type description struct {
	*Facts
	ex     *exchange.Exchange
	w      *spans.Writer
	client bool
	method string
	target target
	scheme string
	host   string // server.address
	port   uint16

	op         httpapi.Operation // that the request asks for, if recognized
	recognized bool
}

// server finds out whom the request was meant for.
func (d *description) server() {
	d.scheme = "http"
	if d.HTTPS || Fold(d.target.scheme, "https") || !d.client && Fold(d.ForwardedProto, "https") {
		d.scheme = "https"
	}
	authority := d.target.authority
	if len(authority) == 0 {
		authority = d.Host
	}
	host, port := splitAuthority(authority)
	d.host, d.port = d.w.Intern(host), port
	if d.port == 0 && d.host != "" {
		d.port = 80
		if d.scheme == "https" {
			d.port = 443
		}
	}
	if d.host == "" && d.ex.Family != familyUnix {
		d.host, d.port = d.w.Address(d.ex.Family, &d.ex.LocalAddr), d.ex.LocalPort
		if d.client {
			d.host, d.port = d.w.Address(d.ex.Family, &d.ex.PeerAddr), d.ex.PeerPort
		}
	}
	if d.host != "" {
		d.w.Text(schema.ServerAddress, d.host)
		d.w.Int(schema.ServerPort, int64(d.port))
	}
	if d.client {
		return
	}
	if client, _ := splitAuthority(d.ForwardedFor); len(client) != 0 {
		d.w.Bytes(schema.ClientAddress, client)
	} else {
		d.w.Client(d.ex)
	}
}

// familyUnix is AF_UNIX.
const familyUnix = 1

// url writes the target: in parts on a server's span, whole on a client's.
func (d *description) url() {
	t := &d.target
	unknown := d.HeadersUnknown && len(d.Target) == 0
	if d.client {
		if !unknown {
			d.fullURL()
		}
		return
	}
	d.w.Text(schema.URLScheme, d.scheme)
	if unknown {
		return
	}
	if d.isTunnel() {
		return
	}
	path := t.path
	if len(path) == 0 {
		path = []byte("/")
	}
	d.w.Bytes(schema.URLPath, path)
	if len(t.query) != 0 {
		buf := d.appendQuery(d.w.Scratch(), t.query)
		d.w.Unique(schema.URLQuery, buf)
		d.w.Keep(buf)
	}
}

// isTunnel tells whether the target is an authority, not a URL.
func (d *description) isTunnel() bool { return d.method == "CONNECT" && len(d.target.path) == 0 }

func (d *description) fullURL() {
	t := &d.target
	if d.isTunnel() || d.host == "" {
		return
	}
	buf := append(d.w.Scratch(), d.scheme...)
	buf = append(buf, "://"...)
	if t.secretive {
		buf = append(buf, "REDACTED:REDACTED@"...)
	}
	switch {
	case len(t.authority) != 0:
		buf = append(buf, t.authority...)
	case len(d.Host) != 0:
		buf = append(buf, d.Host...)
	default:
		buf = append(buf, net.JoinHostPort(d.host, strconv.Itoa(int(d.port)))...)
	}
	if string(t.path) != "*" {
		buf = append(buf, t.path...)
	}
	if t.hasQuery {
		buf = append(buf, '?')
		buf = d.appendQuery(buf, t.query)
	}
	d.w.Bytes(schema.URLFull, buf)
	d.w.Keep(buf)
}

// name names the span after the method and, when one can be inferred, the
// template of the path.
func (d *description) name() {
	method := d.method
	if method == otherMethod {
		method = "HTTP"
	}
	if d.TargetCut {
		d.w.Name(method)
		return
	}
	d.w.Path(d.target.path)
	if route, ok := d.w.ConfiguredRoute(d.target.path); ok {
		d.w.Text(d.routeKey(), route)
		d.named(method, route)
		return
	}
	if d.nameAPI() {
		return
	}
	buf, ok := appendRoute(d.w.Scratch(), d.target.path)
	var route string
	if ok {
		route, ok = d.w.Route(d.spanServer(), buf, d.Status != 0 && d.Status < 400)
	}
	d.w.Keep(buf)
	if !ok {
		d.w.Name(method)
		return
	}
	d.w.Text(schema.RequestRouteInferred, route)
	d.named(method, route)
}

// routeKey is the attribute of a template that is known.
func (d *description) routeKey() string {
	if d.client {
		return schema.URLTemplate
	}
	return schema.HTTPRoute
}

// named names the span after the method and a route.
func (d *description) named(method, route string) {
	buf := append(d.w.Scratch(), method...)
	buf = append(buf, ' ')
	buf = append(buf, route...)
	d.w.Name(d.w.Intern(buf))
	d.w.Keep(buf)
}

// spanServer names the server for the bounds of what is inferred about it.
func (d *description) spanServer() spans.Server {
	if d.client {
		return spans.Server{NetNS: d.ex.NetNS, Port: d.port, Host: d.host}
	}
	return spans.Server{NetNS: d.ex.NetNS, Port: d.ex.LocalPort}
}

// outcome writes how it ended. A client that got a status and leaves the body
// unread has what it wanted; one that leaves before has not.
func (d *description) outcome() {
	failed := 500
	if d.client {
		failed = 400
	}
	if d.Status != 0 {
		d.w.Int(schema.HTTPResponseStatusCode, int64(d.Status))
	}
	switch {
	case int(d.Status) >= failed:
		d.w.Text(schema.ErrorType, statusText(d.Status))
		d.w.Failed()
	case d.ex.Incomplete == exchange.StreamReset && !d.CallerGone:
		d.w.Text(schema.ErrorType, d.StreamError)
		d.w.Failed()
	case d.ex.Incomplete == exchange.ConnectionClosed && (!d.CallerGone || d.client && d.Status == 0):
		d.w.Text(schema.ErrorType, exchange.ConnectionClosed.String())
		d.w.Failed()
	}
}

// statusTexts holds the texts of the status codes from 400 to 599.
var statusTexts = func() (t [200]string) {
	for i := range t {
		t[i] = strconv.Itoa(400 + i)
	}
	return t
}()

func statusText(status uint16) string {
	if i := int(status) - 400; i >= 0 && i < len(statusTexts) {
		return statusTexts[i]
	}
	return strconv.Itoa(int(status))
}

// cut says what lies beyond the bound; text: a part of the statement does.
func (d *description) cut(text bool) {
	var list [4]string
	parts := list[:0]
	switch {
	case d.TargetCut && d.client:
		parts = append(parts, schema.URLFull, "http.request.header")
	case d.TargetCut:
		parts = append(parts, schema.URLPath, schema.URLQuery, "http.request.header")
	case d.HeadCut:
		parts = append(parts, "http.request.header")
	}
	if text {
		parts = append(parts, schema.DBQueryText)
	}
	if len(parts) > 0 {
		d.w.List(schema.Truncated, parts...)
	}
}
