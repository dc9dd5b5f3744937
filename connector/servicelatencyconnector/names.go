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
