package dbfacts_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/internal/querytext"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbfacts"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/spans"
)

func span(t *testing.T, f *dbfacts.Facts, change func(*exchange.Exchange)) ptrace.Span {
	t.Helper()
	ex := &exchange.Exchange{
		Endpoint: exchange.Endpoint{
			Role: event.RoleClient, Family: 2, LocalPort: 40000, PeerPort: 5432,
			LocalAddr: [16]byte{10, 0, 0, 1}, PeerAddr: [16]byte{10, 0, 0, 2},
		},
		Start: 1, End: 2, Facts: f,
	}
	if change != nil {
		change(ex)
	}
	list := ptrace.NewSpanSlice()
	require.True(t, spans.NewTranslator([32]byte{1}).Append(list, ex, 0))
	return list.At(0)
}

// db are the attributes of a span that tell of the database and the outcome.
func db(s ptrace.Span) map[string]any {
	all := s.Attributes().AsRaw()
	for _, key := range []string{
		"network.peer.address", "network.peer.port", "network.local.address", "network.local.port",
		"sightglass.network.namespace", "sightglass.request.class",
	} {
		delete(all, key)
	}
	return all
}

func statement(text string) *querytext.Statement {
	var c querytext.Cache
	st, _ := c.Statement([]byte(text), querytext.SQL, false)
	return st
}

func TestStatement(t *testing.T) {
	f := &dbfacts.Facts{System: "postgresql", Namespace: []byte("shop")}
	f.Execute(statement("SELECT a FROM t WHERE b = 'secret'"))
	f.Return(3)
	f.Trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	s := span(t, f, nil)
	require.Equal(t, "SELECT t", s.Name())
	require.Equal(t, ptrace.SpanKindClient, s.Kind())
	require.Equal(t, ptrace.StatusCodeUnset, s.Status().Code())
	require.Equal(t, "b7ad6b7169203331", s.ParentSpanID().String())
	require.Equal(t, map[string]any{
		"db.system.name": "postgresql", "db.namespace": "shop", "db.query.summary": "SELECT t",
		"db.query.text": "SELECT a FROM t WHERE b = ?", "db.response.returned_rows": int64(3),
		"server.address": "10.0.0.2", "server.port": int64(5432),
	}, db(s))
}

func TestServerSide(t *testing.T) {
	f := &dbfacts.Facts{System: "mysql", SQLState: []byte("42S02")}
	f.Execute(statement("SELECT a FROM none"))
	f.Fail([]byte("1146"))
	s := span(t, f, func(ex *exchange.Exchange) { ex.Role, ex.LocalPort = event.RoleServer, 3306 })
	require.Equal(t, ptrace.SpanKindServer, s.Kind())
	require.Equal(t, ptrace.StatusCodeError, s.Status().Code())
	require.Equal(t, map[string]any{
		"db.system.name": "mysql", "db.query.summary": "SELECT none", "db.query.text": "SELECT a FROM none",
		"db.response.status_code": "1146", "error.type": "1146", "sightglass.db.response.sqlstate": "42S02",
		"server.address": "10.0.0.1", "server.port": int64(3306), "client.address": "10.0.0.2",
	}, db(s))
}

func TestNames(t *testing.T) {
	a, b := statement("INSERT INTO t VALUES (1)"), statement("SELECT a FROM b")
	for want, f := range map[string]*dbfacts.Facts{
		"INSERT t":         executed(a),
		"BATCH INSERT t":   executed(a, a, a),
		"BATCH":            executed(a, b),
		"EXECUTE":          executed(nil),
		"GET":              {System: "redis", Operation: []byte("GET")},
		"MULTI SET":        {System: "redis", Operation: []byte("MULTI SET"), Batch: 2},
		"PREPARE SELECT b": prepared(b),
		"PREPARE":          prepared(nil),
		"postgresql":       {System: "postgresql", Statement: &querytext.Statement{}},
		"CALL p":           executed(statement("CALL p(1)")),
	} {
		require.Equal(t, want, span(t, f, nil).Name())
	}
}

func executed(list ...*querytext.Statement) *dbfacts.Facts {
	f := &dbfacts.Facts{System: "postgresql"}
	for _, st := range list {
		f.Execute(st)
	}
	return f
}

func prepared(st *querytext.Statement) *dbfacts.Facts {
	f := &dbfacts.Facts{System: "postgresql"}
	f.Prepare(st)
	return f
}

func TestWhatIsNotKnown(t *testing.T) {
	f := executed(nil)
	f.Hidden, f.TextCut = true, true
	got := db(span(t, f, nil))
	require.Equal(t, true, got["sightglass.db.statement.unseen"])
	require.Equal(t, []any{"db.query.text", "db.response.status_code"}, got["sightglass.truncated"])
	f = executed(nil)
	f.Failed = true
	require.Equal(t, "_OTHER", db(span(t, f, nil))["error.type"])
}

func TestBatch(t *testing.T) {
	st := statement("INSERT INTO t VALUES (1)")
	require.EqualValues(t, 3, db(span(t, executed(st, st, st), nil))["db.operation.batch.size"])
	mixed := db(span(t, executed(st, statement("SELECT 1")), nil))
	require.EqualValues(t, 2, mixed["db.operation.batch.size"])
	require.Equal(t, "INSERT INTO t VALUES (?); SELECT ?", mixed["db.query.text"])
	require.Equal(t, "p", db(span(t, executed(statement("CALL p(1)")), nil))["db.stored_procedure.name"])
}

func TestBrokenConnection(t *testing.T) {
	for gone, want := range map[bool]ptrace.StatusCode{false: ptrace.StatusCodeError, true: ptrace.StatusCodeUnset} {
		f := executed(nil)
		f.CallerGone = gone
		s := span(t, f, func(ex *exchange.Exchange) {
			ex.Role, ex.Incomplete = event.RoleServer, exchange.ConnectionClosed
		})
		require.Equal(t, want, s.Status().Code())
	}
}

func TestNothingKnown(t *testing.T) {
	f := &dbfacts.Facts{System: "redis"}
	require.False(t, spans.NewTranslator([32]byte{}).Append(ptrace.NewSpanSlice(), &exchange.Exchange{Facts: f}, 0))
}

func TestResetKeepsMemory(t *testing.T) {
	f := executed(statement("SELECT 1"))
	f.Fail([]byte("42P01"))
	f.Reset()
	require.False(t, f.Known())
	require.Empty(t, f.Status)
	require.NotZero(t, cap(f.Status))
}
