package request

import (
	"slices"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/attribute"
	"github.com/sightglass/sightglass/internal/schema"
)

// Slot is the place of an attribute in Fields.
type Slot uint8

// The slots. Those of configured dimensions follow.
const (
	HTTPMethod Slot = iota
	HTTPStatus
	HTTPRoute
	RouteInferred
	URLScheme
	URLTemplate
	RPCSystem
	RPCMethod
	RPCService
	RPCStatus
	RPCStatusNumber
	DBSystem
	DBNamespace
	DBCollection
	DBOperation
	DBSummary
	DBProcedure
	DBStatus
	DBText
	MessagingSystem
	MessagingOperation
	MessagingType
	MessagingDestination
	MessagingTemplate
	MessagingTemporary
	MessagingAnonymous
	MessagingGroup
	MessagingCount
	Truncated
	DNSQuestion
	ProtocolName
	ErrorType
	PeerName
	PeerNamespace
	Class
	Incomplete
	UserAgent
	PeerAddress
	PeerPort
	LocalAddress
	LocalPort
	NetworkNamespace
	ServerAddress
	ClientAddress
	Operation // computed: the span's name
	WithinPod // computed
	Estimated // computed
	firstConfigured
)

const (
	slots = 64
	// MaxDimensions is how many further dimensions can be configured.
	MaxDimensions = 16
)

// Names of attributes that have no constant in the schema.
const (
	operationName = "sightglass.operation"
	// WithinPodName marks requests from another container of the same pod.
	WithinPodName = "sightglass.request.within_pod"
	// EstimatedName marks series of spans that stand for others, which a sampler
	// has dropped.
	EstimatedName = "sightglass.request.estimated"
	// OverflowName marks the series that collects what limits kept out.
	OverflowName = "otel.metric.overflow"
	// ErrorName is the attribute that tells failures.
	ErrorName = schema.ErrorType
	// OtherError is the error type of a failure that names none.
	OtherError = "_OTHER"
)

// slotNames lists every spelling of the attributes that are read, the current
// one first. Older spellings are still what most SDKs send.
var slotNames = [firstConfigured][]string{
	HTTPMethod:           {schema.HTTPRequestMethod, "http.method"},
	HTTPStatus:           {schema.HTTPResponseStatusCode, "http.status_code"},
	HTTPRoute:            {schema.HTTPRoute},
	RouteInferred:        {schema.RequestRouteInferred},
	URLScheme:            {schema.URLScheme, "http.scheme"},
	URLTemplate:          {"url.template"},
	RPCSystem:            {"rpc.system.name", "rpc.system"},
	RPCMethod:            {"rpc.method"},
	RPCService:           {"rpc.service"},
	RPCStatus:            {"rpc.response.status_code", "rpc.status_code"},
	RPCStatusNumber:      {"rpc.grpc.status_code"},
	DBSystem:             {"db.system.name", "db.system"},
	DBNamespace:          {"db.namespace", "db.name"},
	DBCollection:         {"db.collection.name", "db.sql.table", "db.mongodb.collection"},
	DBOperation:          {"db.operation.name", "db.operation"},
	DBSummary:            {"db.query.summary"},
	DBProcedure:          {"db.stored_procedure.name"},
	DBStatus:             {"db.response.status_code"},
	DBText:               {"db.query.text", "db.statement"},
	MessagingSystem:      {"messaging.system"},
	MessagingOperation:   {"messaging.operation.name"},
	MessagingType:        {"messaging.operation.type", "messaging.operation"},
	MessagingDestination: {"messaging.destination.name", "messaging.destination"},
	MessagingTemplate:    {"messaging.destination.template"},
	MessagingTemporary:   {"messaging.destination.temporary"},
	MessagingAnonymous:   {"messaging.destination.anonymous"},
	MessagingGroup:       {"messaging.consumer.group.name"},
	MessagingCount:       {schema.MessagingBatchCount},
	Truncated:            {schema.Truncated},
	DNSQuestion:          {"dns.question.name"},
	ProtocolName:         {schema.NetworkProtocolName},
	ErrorType:            {schema.ErrorType},
	PeerName:             {schema.ServicePeerName, "peer.service"},
	PeerNamespace:        {schema.ServicePeerNamespace},
	Class:                {schema.RequestClass},
	Incomplete:           {schema.RequestIncomplete},
	UserAgent:            {schema.UserAgent, "http.user_agent"},
	PeerAddress:          {schema.NetworkPeerAddress, "net.sock.peer.addr"},
	PeerPort:             {schema.NetworkPeerPort, "net.sock.peer.port"},
	LocalAddress:         {schema.NetworkLocalAddress, "net.sock.host.addr"},
	LocalPort:            {schema.NetworkLocalPort, "net.sock.host.port"},
	NetworkNamespace:     {schema.NetworkNamespace},
	ServerAddress:        {schema.ServerAddress, "net.peer.name"},
	ClientAddress:        {schema.ClientAddress, "http.client_ip"},
	Operation:            {operationName},
	WithinPod:            {WithinPodName},
	Estimated:            {EstimatedName},
}

// computed are the slots that no attribute of a span fills.
var computed = []Slot{Operation, WithinPod, Estimated}

// endSlots are read for the other end of a request only, textSlots for its
// statement only. Looking for them costs time with every span.
var (
	endSlots  = []Slot{PeerNamespace, PeerPort, LocalAddress, LocalPort, NetworkNamespace, ServerAddress, ClientAddress}
	textSlots = []Slot{DBText}
)

// slotTable maps every spelling to its slot, except those of slots to skip.
func slotTable(skip []Slot) *attribute.Table {
	table := new(attribute.Table)
	for slot, names := range slotNames {
		if slices.Contains(computed, Slot(slot)) || slices.Contains(skip, Slot(slot)) {
			continue
		}
		for i, name := range names {
			table.Add(name, uint8(slot), attribute.Rank(min(i, int(attribute.Older))))
		}
	}
	return table
}
