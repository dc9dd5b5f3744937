package request

import (
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/internal/schema"
)

// Boundaries that the conventions advise for explicit histograms, in seconds.
var (
	requestBoundaries  = []float64{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}
	databaseBoundaries = []float64{0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10}
)

// Definition is one row of the table of metrics.
type Definition struct {
	Name        string
	Description string
	Boundaries  []float64 // advice for explicit histograms
	Off         bool      // not unless configured
	slots       []Slot
}

// Attributes returns the names of the metric's attributes in their order.
func (d *Definition) Attributes() []string {
	names := make([]string, len(d.slots))
	for i, slot := range d.slots {
		names[i] = slotNames[slot][0]
	}
	return names
}

// Database reports whether the metric measures database calls.
func (d *Definition) Database() bool {
	return d == &Definitions[dbClient] || d == &Definitions[dbServer]
}

// Places of the rows in Definitions.
const (
	httpServer = iota
	httpClient
	rpcServer
	rpcClient
	dbClient
	dbServer
	messagingClient
	messagingProcess
	messagingServer
	dnsLookup
	otherServer
	otherClient
	definitions
)

// Definitions is the list of all metrics that requests can be counted in.
var Definitions = [definitions]Definition{
	httpServer: {
		Name:        schema.MetricHTTPServerDuration,
		Description: "Duration of HTTP server requests.",
		Boundaries:  requestBoundaries,
		slots:       []Slot{HTTPMethod, URLScheme, HTTPRoute, RouteInferred, HTTPStatus, ErrorType, PeerName, Class, WithinPod, Estimated},
	},
	httpClient: {
		Name:        schema.MetricHTTPClientDuration,
		Description: "Duration of HTTP client requests.",
		Boundaries:  requestBoundaries,
		slots:       []Slot{HTTPMethod, URLTemplate, HTTPStatus, ErrorType, PeerName, Class, Estimated},
	},
	rpcServer: {
		Name:        schema.MetricRPCServerDuration,
		Description: "Duration of incoming remote procedure calls.",
		Boundaries:  requestBoundaries,
		slots:       []Slot{RPCSystem, RPCMethod, RPCStatus, ErrorType, PeerName, Class, WithinPod, Estimated},
	},
	rpcClient: {
		Name:        schema.MetricRPCClientDuration,
		Description: "Duration of outgoing remote procedure calls.",
		Boundaries:  requestBoundaries,
		slots:       []Slot{RPCSystem, RPCMethod, RPCStatus, ErrorType, PeerName, Class, Estimated},
	},
	dbClient: {
		Name:        schema.MetricDBClientDuration,
		Description: "Duration of database client operations.",
		Boundaries:  databaseBoundaries,
		slots:       []Slot{DBSystem, DBNamespace, DBSummary, DBOperation, DBCollection, DBProcedure, DBStatus, ErrorType, PeerName, Class, Estimated},
	},
	dbServer: {
		Name:        schema.MetricDBServerDuration,
		Description: "Duration of database operations as the server sees them; the conventions have only the client's view.",
		Boundaries:  databaseBoundaries,
		slots:       []Slot{DBSystem, DBNamespace, DBSummary, DBOperation, DBCollection, DBProcedure, DBStatus, ErrorType, PeerName, Class, WithinPod, Estimated},
	},
	messagingClient: {
		Name:        schema.MetricMessagingClientDuration,
		Description: "Duration of messaging operations of a producer or consumer client, such as send and receive.",
		Boundaries:  requestBoundaries,
		slots:       []Slot{MessagingSystem, MessagingOperation, MessagingType, MessagingDestination, MessagingTemplate, MessagingGroup, ErrorType, PeerName, Class, Estimated},
	},
	messagingProcess: {
		Name:        schema.MetricMessagingProcessDuration,
		Description: "Duration of processing a message.",
		Boundaries:  requestBoundaries,
		slots:       []Slot{MessagingSystem, MessagingOperation, MessagingType, MessagingDestination, MessagingTemplate, MessagingGroup, ErrorType, PeerName, Class, Estimated},
	},
	messagingServer: {
		Name:        schema.MetricMessagingServerDuration,
		Description: "Duration of messaging operations as the broker sees them; the conventions have only the clients' view.",
		Boundaries:  requestBoundaries,
		slots:       []Slot{MessagingSystem, MessagingOperation, MessagingType, MessagingDestination, MessagingTemplate, MessagingGroup, ErrorType, PeerName, Class, WithinPod, Estimated},
	},
	dnsLookup: {
		Name:        "dns.lookup.duration",
		Description: "Duration of DNS lookups. Off by default: every name that is looked up makes a series.",
		Boundaries:  requestBoundaries,
		Off:         true,
		slots:       []Slot{DNSQuestion, ErrorType, Class, Estimated},
	},
	otherServer: {
		Name:        "sightglass.server.request.duration",
		Description: "Duration of server requests of a protocol that has no metric in the conventions.",
		Boundaries:  requestBoundaries,
		slots:       []Slot{Operation, ProtocolName, ErrorType, PeerName, Class, WithinPod, Estimated},
	},
	otherClient: {
		Name:        "sightglass.client.request.duration",
		Description: "Duration of client requests of a protocol that has no metric in the conventions.",
		Boundaries:  requestBoundaries,
		slots:       []Slot{Operation, ProtocolName, ErrorType, PeerName, Class, Estimated},
	},
}

// Metric is a metric as configured: a definition with its further dimensions.
type Metric struct {
	aggregate.Metric
	Server bool // the service answers; otherwise it asks
	slots  []Slot
}
