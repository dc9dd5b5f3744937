package servicemap

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/internal/alloctest"
)

func owner(name string, more ...string) *aggregate.Owner {
	key := aggregate.AppendNamed(nil, "service.name", aggregate.StringValue(name))
	for i := 0; i+1 < len(more); i += 2 {
		key = aggregate.AppendNamed(key, more[i], aggregate.StringValue(more[i+1]))
	}
	return aggregate.NewRegistry(10, nil).Acquire(key)
}

var (
	shop = owner("shop")
	cart = owner("cart")
	when = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
)

func byContext(n byte) Keys { return Keys{Context: Context{Trace: [16]byte{n}, Span: [8]byte{n}}} }

func byEndpoint(address string, namespace uint64) Keys {
	return Keys{Endpoint: Endpoint{netip.MustParseAddr(address), 5000, namespace}}
}

// resolved collects what a store hands over.
type resolved []string

func (r *resolved) take(q *Request, o *aggregate.Owner) {
	name := "nobody"
	if o != nil {
		name = NodeOf(o).Name
	}
	*r = append(*r, NodeOf(q.Owner).Name+"-"+name)
}

func TestEndsMeetInBothOrders(t *testing.T) {
	for name, keys := range map[string]Keys{
		"trace context": byContext(1),
		"endpoint":      byEndpoint("10.0.0.1", 0),
	} {
		t.Run(name, func(t *testing.T) {
			for _, serverFirst := range []bool{false, true} {
				w := NewWaiting(5*time.Second, 10)
				var got resolved
				first, second := Request{Keys: keys, Owner: shop}, Request{Keys: keys, Owner: cart, Server: true}
				if serverFirst {
					first, second = second, first
				}
				_, known := w.Meet(when, &first, got.take)
				require.False(t, known)
				o, known := w.Meet(when.Add(time.Second), &second, got.take)
				require.True(t, known)
				require.Same(t, first.Owner, o)
				w.Expire(when.Add(4*time.Second), got.take)
				require.Empty(t, got, "it has not waited long enough")
				w.Expire(when.Add(5*time.Second), got.take)
				require.Len(t, got, 1)
				require.NotContains(t, got[0], "nobody")
				require.Zero(t, w.Len())
			}
		})
	}
}

func TestTheOtherEndMayNotCome(t *testing.T) {
	w := NewWaiting(5*time.Second, 10)
	var got resolved
	w.Meet(when, &Request{Keys: byContext(1), Owner: shop}, got.take)
	w.Meet(when, &Request{Keys: byContext(2), Owner: cart, Server: true}, got.take)
	w.Meet(when, &Request{Owner: shop}, got.take)
	w.Expire(when.Add(5*time.Second), got.take)
	require.Equal(t, resolved{"shop-nobody", "cart-nobody", "shop-nobody"}, got)
}

func TestTwoClientsAreNotTheEndsOfOneRequest(t *testing.T) {
	w := NewWaiting(time.Second, 10)
	var got resolved
	w.Meet(when, &Request{Keys: byContext(1), Owner: shop}, got.take)
	_, known := w.Meet(when, &Request{Keys: byContext(1), Owner: cart}, got.take)
	require.False(t, known)
}

func TestLoopbackIsApartByNamespace(t *testing.T) {
	w := NewWaiting(time.Second, 10)
	var got resolved
	w.Meet(when, &Request{Keys: byEndpoint("127.0.0.1", 1), Owner: shop}, got.take)
	_, known := w.Meet(when, &Request{Keys: byEndpoint("127.0.0.1", 2), Owner: cart, Server: true}, got.take)
	require.False(t, known)
	_, known = w.Meet(when, &Request{Keys: byEndpoint("127.0.0.1", 1), Owner: cart, Server: true}, got.take)
	require.True(t, known)
}

func TestTraceContextIsTheBetterWitness(t *testing.T) {
	w := NewWaiting(time.Second, 10)
	var got resolved
	both := byContext(1)
	both.Endpoint = byEndpoint("10.0.0.1", 0).Endpoint
	w.Introduce(&Keys{Endpoint: both.Endpoint}, true, owner("proxy"))
	w.Introduce(&Keys{Context: both.Context}, true, cart)
	o, known := w.Meet(when, &Request{Keys: both, Owner: shop}, got.take)
	require.True(t, known)
	require.Same(t, cart, o)
}

func TestDirectoryForgets(t *testing.T) {
	w := NewWaiting(time.Second, 10)
	var got resolved
	w.Meet(when, &Request{Keys: byContext(9), Owner: shop}, got.take)
	w.Introduce(new(byContext(1)), true, cart)
	_, known := w.Meet(when.Add(time.Second), &Request{Keys: byContext(1), Owner: shop}, got.take)
	require.True(t, known, "one generation later it is still known")
	w.Introduce(new(byContext(2)), true, cart)
	w.Meet(when.Add(2*time.Second), &Request{Keys: byContext(9), Owner: shop}, got.take)
	_, known = w.Meet(when.Add(3*time.Second), &Request{Keys: byContext(2), Owner: shop}, got.take)
	require.False(t, known)
}

func TestWaitingIsBounded(t *testing.T) {
	const limit = 100
	w := NewWaiting(time.Hour, limit)
	var got resolved
	for i := range byte(250) {
		w.Meet(when, &Request{Keys: byContext(i), Owner: shop}, got.take)
		require.LessOrEqual(t, w.Len(), limit)
	}
	require.Len(t, got, 150, "the oldest go first")
	require.Len(t, w.queue, limit)
	w.Drain(got.take)
	require.Len(t, got, 250)
	require.Zero(t, w.Len())

	d := newDirectory(10)
	for i := range byte(50) {
		d.enter(new(byContext(i)), true, shop)
	}
	require.Len(t, d.contexts[0], 10)
}

func TestWaitingOrder(t *testing.T) {
	w := NewWaiting(time.Second, 1000)
	var got resolved
	var want resolved
	at := when
	for i := range 500 { // the ring turns and grows while it is used
		at = at.Add(10 * time.Millisecond)
		name := fmt.Sprint("s", i)
		want = append(want, name+"-nobody")
		w.Meet(at, &Request{Owner: owner(name)}, got.take)
		w.Expire(at, got.take)
	}
	w.Drain(got.take)
	require.Equal(t, want, got)
}

func TestNodeOf(t *testing.T) {
	require.Equal(t, Node{"a", ""}, NodeOf(owner("a")))
	require.Equal(t, Node{"a", "prod"}, NodeOf(owner("a", "k8s.namespace.name", "prod")))
	require.Equal(t, Node{"a", "team"}, NodeOf(owner("a", "service.namespace", "team", "k8s.namespace.name", "prod")))
}

func TestOutside(t *testing.T) {
	networks, err := ParseNetworks(map[string][]string{"office": {"192.0.2.0/24", "2001:db8::/32"}, "printers": {"192.0.2.64/26"}})
	require.NoError(t, err)
	outside := NewOutside(networks)
	for address, want := range map[string]Node{
		"api.example.com":               {Name: "api.example.com"},
		"orders":                        {Name: "orders"},
		"orders.prod":                   {Name: "orders.prod"},
		"orders.prod.svc":               {Name: "orders", Namespace: "prod"},
		"orders.prod.svc.cluster.local": {Name: "orders", Namespace: "prod"},
		"192.0.2.1":                     {Name: "office"},
		"192.0.2.65":                    {Name: "printers"},
		"2001:db8::5":                   {Name: "office"},
		"10.1.2.3":                      {Name: "10.0.0.0/8"},
		"::ffff:10.1.2.3":               {Name: "10.0.0.0/8"},
		"127.0.0.1":                     {Name: "localhost"},
		"fe80::1%eth0":                  {Name: "link-local"},
		"203.0.113.9":                   {Name: "internet"},
	} {
		got, ok := outside.Node(address)
		require.True(t, ok)
		require.Equal(t, want, got, address)
	}
	_, ok := outside.Node("")
	require.False(t, ok)

	_, err = ParseNetworks(map[string][]string{"office": {"192.0.2.0"}})
	require.ErrorContains(t, err, `office: "192.0.2.0" is not a range of addresses; write it as 192.0.2.0/24`)
}

func TestConnectionTypes(t *testing.T) {
	require.Equal(t, []string{"", "database", "messaging_system", "virtual_node"},
		[]string{Plain.String(), Database.String(), Messaging.String(), External.String()})
}

func TestMeetingDoesNotAllocate(t *testing.T) {
	w := NewWaiting(time.Hour, 100)
	var got resolved
	r, s := &Request{Keys: byContext(1), Owner: shop}, &Request{Keys: byContext(1), Owner: cart, Server: true}
	take := got.take
	w.Meet(when, r, take)
	require.Zero(t, alloctest.PerRun(50, func() {
		w.Meet(when, s, take)
		w.Meet(when, r, take)
	}))
}
