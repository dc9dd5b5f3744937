package servicelatencyconnector

import "github.com/sightglass/sightglass/internal/schema"

// What identifies the connector that wrote a stream. A delta stream carries
// both, so that whoever merges it recognises a repetition; a cumulative one
// carries the host only, so that a restart continues the same series.
const (
	writerHost = schema.HostID
	writerID   = "sightglass.writer.id" // new at every start
)

// schemaURL is the version of the semantic conventions that names follow.
const schemaURL = "https://opentelemetry.io/schemas/1.44.0"

// The record of a database statement.
const (
	eventStatement        = "sightglass.db.statement"
	statementSide         = "sightglass.statement.side"           // who saw it: client, server
	statementRank         = "sightglass.statement.rank"           // by total time, from 1
	statementCount        = "sightglass.statement.count"          // executions in the interval
	statementErrors       = "sightglass.statement.errors"         // of which failed
	statementTotal        = "sightglass.statement.duration.total" // s
	statementPercentile95 = "sightglass.statement.duration.p95"   // s
	statementMax          = "sightglass.statement.duration.max"   // s
	statementInterval     = "sightglass.statement.interval"       // s, ending at the record's timestamp
	statementRest         = "sightglass.statement.rest"           // true: stands for all for which there was no room
)

// The edges between services.
const (
	metricEdge          = "sightglass.service_map.request.duration"
	edgeClient          = "sightglass.service_map.client.name"
	edgeClientNamespace = "sightglass.service_map.client.namespace"
	edgeServer          = "sightglass.service_map.server.name"
	edgeServerNamespace = "sightglass.service_map.server.namespace"
	edgeSide            = "sightglass.service_map.side"            // who measured: client, server
	edgeType            = "sightglass.service_map.connection.type" // database, messaging_system, virtual_node
)

// The objectives.
const (
	metricObjectiveGood  = "sightglass.objective.request.good"
	metricObjectiveTotal = "sightglass.objective.request.total"
	objectiveName        = "sightglass.objective.name"
)
