package rpcfacts_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/httpfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/rpcfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

// newCall is a call that was answered with OK, seen by a client.
func newCall() (*exchange.Exchange, *rpcfacts.Facts) {
	f := &rpcfacts.Facts{
		Facts: httpfacts.Facts{
			Method: []byte("POST"), Target: []byte("/shop.Cart/Add"), Host: []byte("cart.shop:8080"), Status: 200, Version: httpfacts.HTTP2,
		},
		GRPC: true, Code: rpcfacts.OK,
	}
	return &exchange.Exchange{
		Endpoint: exchange.Endpoint{
			NetNS: 7, Family: 2, LocalPort: 40000, PeerPort: 8080,
			LocalAddr: [16]byte{10, 0, 0, 1}, PeerAddr: [16]byte{10, 0, 0, 2}, Role: event.RoleClient,
		},
		Start: 1e9, FirstByte: 2e9, End: 3e9, Facts: f,
	}, f
}

func translate(t *testing.T, tr *spans.Translator, ex *exchange.Exchange) ptrace.Span {
	t.Helper()
	list := ptrace.NewSpanSlice()
	require.True(t, tr.Append(list, ex, 0))
	return list.At(0)
}

func TestCall(t *testing.T) {
	ex, f := newCall()
	f.TraceParent = []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	span := translate(t, spans.NewTranslator([32]byte{1}), ex)
	require.Equal(t, "shop.Cart/Add", span.Name())
	require.Equal(t, ptrace.SpanKindClient, span.Kind())
	require.Equal(t, ptrace.StatusCodeUnset, span.Status().Code())
	require.Equal(t, "b7ad6b7169203331", span.ParentSpanID().String())
	require.Equal(t, map[string]any{
		"rpc.system.name":                       "grpc",
		"rpc.method":                            "shop.Cart/Add",
		"rpc.status_code":                       "OK",
		"server.address":                        "cart.shop",
		"server.port":                           int64(8080),
		"network.peer.address":                  "10.0.0.2",
		"network.peer.port":                     int64(8080),
		"network.local.address":                 "10.0.0.1",
		"network.local.port":                    int64(40000),
		"network.protocol.version":              "2",
		"sightglass.network.namespace":          int64(7),
		"sightglass.request.class":              "unary",
		"sightglass.request.time_to_first_byte": float64(1),
	}, span.Attributes().AsRaw())
}

// Which codes are errors is not the same on both sides.
func TestErrors(t *testing.T) {
	server := map[rpcfacts.Code]bool{
		rpcfacts.Unknown: true, rpcfacts.DeadlineExceeded: true, rpcfacts.Unimplemented: true,
		rpcfacts.Internal: true, rpcfacts.Unavailable: true, rpcfacts.DataLoss: true,
	}
	for code := rpcfacts.NoCode; code <= rpcfacts.Unauthenticated; code++ {
		for _, role := range []event.Role{event.RoleClient, event.RoleServer} {
			ex, f := newCall()
			ex.Role, f.Code = role, code
			span := translate(t, spans.NewTranslator([32]byte{1}), ex)
			failed := code > rpcfacts.OK && (role == event.RoleClient || server[code])
			require.Equal(t, failed, span.Status().Code() == ptrace.StatusCodeError, "%v %v", role, code)
			attrs := span.Attributes().AsRaw()
			if failed {
				require.Equal(t, code.String(), attrs["error.type"])
			} else {
				require.NotContains(t, attrs, "error.type")
			}
			if code == rpcfacts.NoCode {
				require.NotContains(t, attrs, "rpc.status_code")
			} else {
				require.Equal(t, code.String(), attrs["rpc.status_code"])
			}
		}
	}
}

func TestUnknownMethods(t *testing.T) {
	tr := spans.NewTranslator([32]byte{1})
	ex, f := newCall()
	f.Code = rpcfacts.Unimplemented
	span := translate(t, tr, ex)
	require.Equal(t, "grpc", span.Name(), "anyone can invent a method")
	attrs := span.Attributes().AsRaw()
	require.Equal(t, "_OTHER", attrs["rpc.method"])
	require.Equal(t, "shop.Cart/Add", attrs["rpc.method_original"])

	f.Code = rpcfacts.OK
	require.Equal(t, "shop.Cart/Add", translate(t, tr, ex).Name())
	f.Code = rpcfacts.Unimplemented
	require.Equal(t, "shop.Cart/Add", translate(t, tr, ex).Name(), "it exists")

	f.Target, f.HeadersUnknown = nil, true
	span = translate(t, tr, ex)
	require.Equal(t, "grpc", span.Name())
	require.Equal(t, "_OTHER", span.Attributes().AsRaw()["rpc.method"])
}

func TestAborted(t *testing.T) {
	ex, f := newCall()
	f.Code, ex.Incomplete = rpcfacts.NoCode, exchange.ConnectionClosed
	span := translate(t, spans.NewTranslator([32]byte{1}), ex)
	require.Equal(t, "connection_closed", span.Attributes().AsRaw()["error.type"])
	require.Equal(t, ptrace.StatusCodeError, span.Status().Code())
	ex.Role, f.CallerGone = event.RoleServer, true
	span = translate(t, spans.NewTranslator([32]byte{1}), ex)
	require.Equal(t, ptrace.StatusCodeUnset, span.Status().Code())
}

func TestHTTP(t *testing.T) {
	ex, f := newCall()
	f.GRPC, f.Status, ex.Incomplete, f.StreamError = false, 0, exchange.StreamReset, "INTERNAL_ERROR"
	span := translate(t, spans.NewTranslator([32]byte{1}), ex)
	attrs := span.Attributes().AsRaw()
	require.Equal(t, "POST", attrs["http.request.method"])
	require.Equal(t, "2", attrs["network.protocol.version"])
	require.Equal(t, "INTERNAL_ERROR", attrs["error.type"])
	require.Equal(t, "stream_reset", attrs["sightglass.request.incomplete"])

	f.Method, f.Target, f.HeadersUnknown, ex.Incomplete = nil, nil, true, exchange.HeadersUnknown
	span = translate(t, spans.NewTranslator([32]byte{1}), ex)
	attrs = span.Attributes().AsRaw()
	require.Equal(t, "HTTP", span.Name())
	require.Equal(t, "_OTHER", attrs["http.request.method"])
	require.NotContains(t, attrs, "http.request.method_original")
	require.NotContains(t, attrs, "url.full")
}

func TestFacts(t *testing.T) {
	for value, want := range map[string]bool{
		"application/grpc": true, "application/grpc+proto": true, "application/grpc;x": true,
		"application/grpc-web": false, "application/grpcish": false, "text/plain": false, "": false,
	} {
		var f rpcfacts.Facts
		f.SetContentType([]byte(value))
		require.Equal(t, want, f.GRPC, value)
	}
	for value, want := range map[string]uint64{
		"100m": 100e6, "1H": 3600e9, "5S": 5e9, "2M": 120e9, "7u": 7e3, "9n": 9, "": 0, "S": 0, "123456789n": 0, "1x": 0,
	} {
		var f rpcfacts.Facts
		f.SetTimeout([]byte(value))
		require.Equal(t, want, f.Timeout, value)
	}
	for value, want := range map[string]string{
		"0": "OK", "16": "UNAUTHENTICATED", "17": "UNKNOWN", "x": "UNKNOWN", "": "UNKNOWN", "001": "UNKNOWN",
	} {
		var f rpcfacts.Facts
		f.SetStatus([]byte(value))
		require.Equal(t, want, f.Code.String(), value)
	}
}

// What a call ended by, where no status came: only who asked can have let its
// deadline pass.
func TestEndedByReset(t *testing.T) {
	for _, tt := range []struct {
		name   string
		caller bool
		after  uint64 // ns
		reset  string
		want   rpcfacts.Code
	}{
		{"the deadline has passed", true, 2e9, "CANCEL", rpcfacts.DeadlineExceeded},
		{"it has not", true, 1e9, "CANCEL", rpcfacts.Cancelled},
		{"the server resets, however late", false, 3e9, "CANCEL", rpcfacts.Cancelled},
		{"the server refuses", false, 1e9, "REFUSED_STREAM", rpcfacts.Unavailable},
	} {
		ex, f := newCall()
		f.Code, f.Timeout, f.CallerGone, f.StreamError = rpcfacts.NoCode, 2e9, tt.caller, tt.reset
		ex.End, ex.Incomplete = ex.Start+tt.after, exchange.StreamReset
		f.EndedBy(ex)
		require.Equal(t, tt.want, f.Code, tt.name)
	}
}

func TestMethodsAreBounded(t *testing.T) {
	tr := spans.NewTranslator([32]byte{1})
	found := map[string]bool{}
	for i := range 1000 {
		ex, f := newCall()
		f.Target = strconv.AppendInt([]byte("/S/"), int64(i), 10)
		found[translate(t, tr, ex).Name()] = true
	}
	require.LessOrEqual(t, len(found), 201)
}
