package latency

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sightglass/sightglass/internal/schema"
)

// kind is what the name of a metric tells: http.server.request.duration is
// {http, Server}.
type kind struct {
	protocol string
	side     Side
}

// kindOf recognises the conventions' names of request durations in seconds,
// those of later protocols included: <protocol>.<side>.[...].duration, ours
// with "sightglass." before it.
func kindOf(m pmetric.Metric) (kind, bool) {
	name, isDuration := strings.CutSuffix(strings.TrimPrefix(m.Name(), "sightglass."), ".duration")
	if !isDuration || m.Unit() != "s" {
		return kind{}, false
	}
	protocol, rest, _ := strings.Cut(name, ".")
	side, _, _ := strings.Cut(rest, ".")
	switch Side(side) {
	case Server, Client:
		return kind{protocol, Side(side)}, true
	}
	return kind{}, false
}

// SystemAttributes say more exactly than a metric's name which protocol it was.
var SystemAttributes = [...]string{"db.system.name", "rpc.system.name", "rpc.system", "messaging.system"}

func (k kind) key(resource, attributes pcommon.Map) Key {
	protocol := k.protocol
	for _, name := range SystemAttributes {
		if v, ok := attributes.Get(name); ok && v.AsString() != "" {
			protocol = v.AsString()
			break
		}
	}
	return Key{
		Namespace: text(resource, schema.ServiceNamespace, schema.K8sNamespaceName),
		Service:   text(resource, schema.ServiceName, schema.ContainerName),
		Side:      k.side,
		Protocol:  protocol,
	}
}

// failed tells whether a series counts failed requests: by the conventions
// those, and only those, have an error.type.
func failed(attributes pcommon.Map) bool {
	return text(attributes, schema.ErrorType) != ""
}

// text returns the first of the named attributes that is set.
func text(m pcommon.Map, names ...string) string {
	for _, name := range names {
		if v, ok := m.Get(name); ok && v.AsString() != "" {
			return v.AsString()
		}
	}
	return ""
}
