package servicelatencyconnector

import (
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/request"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/servicemap"
	"github.com/sightglass/sightglass/internal/schema"
)

// Ids of the metrics beside those of internal/request, which has fewer than 32.
const (
	idEdge = 32 + iota
	idGraphTotal
	idGraphFailed
	idGraphServer
	idGraphClient
	idObjectiveGood
	idObjectiveTotal
	idMessagesSent
	idMessagesConsumed
)

// edgeWriter counts a request whose other end is known, using key as scratch
// memory, which it returns.
type edgeWriter func(r *servicemap.Request, other servicemap.Node, kind servicemap.ConnectionType, key []byte) []byte

func newEdgeWriter(cfg *Config, e *engine) edgeWriter {
	if cfg.ServiceMap.Names == GrafanaNames {
		return newGraphWriter(e)
	}
	return newMapWriter(cfg, e)
}

// mapMetric describes the edges by our names.
func mapMetric(shape *aggregate.Shape) *aggregate.Metric {
	return &aggregate.Metric{
		ID: idEdge, Name: metricEdge, Description: "Duration of requests between two services, as one of them sees it.", Unit: "s",
		Attributes: []string{edgeClient, edgeClientNamespace, edgeServer, edgeServerNamespace, edgeSide, edgeType, schema.ErrorType, schema.RequestClass, request.EstimatedName},
		Shape:      shape,
	}
}

// newMapWriter counts into one metric per edge, side and error.
func newMapWriter(cfg *Config, e *engine) edgeWriter {
	m := mapMetric(cfg.shape(&request.Definitions[0]))
	return func(r *servicemap.Request, other servicemap.Node, kind servicemap.ConnectionType, key []byte) []byte {
		client, server := sides(r, other)
		key = aggregate.AppendHeader(key[:0], r.Owner, m)
		key = appendTexts(key, client.Name, client.Namespace, server.Name, server.Namespace, side(r), kind.String(), r.Error, r.Class)
		key = appendEstimated(key, r)
		if e.record(r.Owner, m, key, &r.Sample) {
			return key
		}
		key = aggregate.AppendHeader(key[:0], r.Owner, m)
		key = appendTexts(key, "", "", "", "", side(r), "", otherError(r), r.Class)
		key = appendEstimated(key, r)
		return e.recordOverflow(r.Owner, m, key, &r.Sample)
	}
}

// graphMetrics describe the edges by the names that Grafana's service graph
// reads: how many, how many failed, and how long by either side.
func graphMetrics() (total, failed, server, client *aggregate.Metric) {
	metric := func(id uint32, name, description, unit string, shape *aggregate.Shape) *aggregate.Metric {
		return &aggregate.Metric{
			ID: id, Name: name, Description: description, Unit: unit, Shape: shape,
			Attributes: []string{"client", "server", "connection_type", "client_service_namespace", "server_service_namespace"},
		}
	}
	buckets := aggregate.NewExplicit(request.Definitions[0].Boundaries)
	return metric(idGraphTotal, "traces_service_graph_request_total", "Requests between two services.", "{request}", aggregate.NewCounter()),
		metric(idGraphFailed, "traces_service_graph_request_failed_total", "Failed requests between two services.", "{request}", aggregate.NewCounter()),
		metric(idGraphServer, "traces_service_graph_request_server", "Duration of requests between two services as the server sees it.", "s", buckets),
		metric(idGraphClient, "traces_service_graph_request_client", "Duration of requests between two services as the client sees it.", "s", buckets)
}

// newGraphWriter counts into the metrics that Grafana's service graph reads. A
// request counts once: at its client, and at its server only if the client is
// not a service.
func newGraphWriter(e *engine) edgeWriter {
	total, failed, server, client := graphMetrics()
	g := &graphWriter{engine: e}
	return func(r *servicemap.Request, other servicemap.Node, kind servicemap.ConnectionType, key []byte) []byte {
		if r.Class != "" {
			return key // streams and probes would be taken for slow requests
		}
		if !r.Server || kind == servicemap.External {
			key = g.count(total, r, other, kind, key)
			if r.Error != "" {
				key = g.count(failed, r, other, kind, key)
			}
		}
		if r.Server {
			return g.count(server, r, other, kind, key)
		}
		return g.count(client, r, other, kind, key)
	}
}

type graphWriter struct{ engine *engine }

func (g *graphWriter) count(
	m *aggregate.Metric, r *servicemap.Request, other servicemap.Node, kind servicemap.ConnectionType, key []byte,
) []byte {
	client, server := sides(r, other)
	key = aggregate.AppendHeader(key[:0], r.Owner, m)
	key = appendTexts(key, client.Name, server.Name, kind.String(), client.Namespace, server.Namespace)
	if g.engine.record(r.Owner, m, key, &r.Sample) {
		return key
	}
	key = aggregate.AppendHeader(key[:0], r.Owner, m)
	key = appendTexts(key, "", "", "", "", "")
	return g.engine.recordOverflow(r.Owner, m, key, &r.Sample)
}

// sides returns the client and the server of a request.
func sides(r *servicemap.Request, other servicemap.Node) (client, server servicemap.Node) {
	own := servicemap.NodeOf(r.Owner)
	if r.Server {
		return other, own
	}
	return own, other
}

func side(r *servicemap.Request) string {
	if r.Server {
		return "server"
	}
	return "client"
}

func otherError(r *servicemap.Request) string {
	if r.Error == "" {
		return ""
	}
	return request.OtherError
}

// appendEstimated marks what stands for requests that were not seen.
func appendEstimated(key []byte, r *servicemap.Request) []byte {
	v := aggregate.Value{}
	if r.Sample.Others > 0 {
		v = aggregate.BoolValue(true)
	}
	return aggregate.AppendValue(key, v)
}

// appendTexts appends values; empty ones are absent.
func appendTexts(key []byte, texts ...string) []byte {
	for _, text := range texts {
		v := aggregate.Value{}
		if text != "" {
			v = aggregate.StringValue(text)
		}
		key = aggregate.AppendValue(key, v)
	}
	return key
}
