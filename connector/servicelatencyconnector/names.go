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
