package main

import "fmt"

// The edges as the connector names them (service_map.names: sightglass).
const (
	edgeMetric = "sightglass_service_map_request_duration_seconds"
	edgeClient = "sightglass_service_map_client_name"
	edgeServer = "sightglass_service_map_server_name"
	edgeEnds   = edgeClient + ", " + edgeServer
)

// named copies a label under the name that the panel reads.
func named(as, from, expr string) string {
	return fmt.Sprintf(`label_replace(%s, %q, "$1", %q, "(.+)")`, expr, as, from)
}

func serviceMap() board {
	side := func(s string) string { return `sightglass_request_class="",sightglass_service_map_side="` + s + `"` }
	// An edge is as its client sees it, and as its server does if no client is seen.
	edges := fmt.Sprintf("(%s) or (%s)", rate(edgeMetric, side("client"), edgeEnds, window), rate(edgeMetric, side("server"), edgeEnds, window))
	graph := fmt.Sprintf(`label_join(%s, "id", "/", %q, %q)`, named("target", edgeServer, named("source", edgeClient, edges)), edgeClient, edgeServer)
	nodes := func(end string) string { return "sum by (id) (" + named("id", end, edges) + ")" }
	return board{
		file: "map", title: "Service map",
		about: "Who asks whom, how often, how successfully and how fast. Needs service_map.enabled in the connector service_latency; " +
			"with service_map.names: grafana use the service graph of a Tempo data source instead.",
		rows: []row{{"Map", []panel{
			{
				title: "Services and what they ask", kind: nodeGraph, unit: "reqps", width: 24, height: 16,
				queries: []query{
					{expr: fmt.Sprintf("%s or %s", nodes(edgeServer), nodes(edgeClient)), ref: "nodes"},
					{expr: graph, ref: "edges"},
				},
				rename: map[string]string{"Value #nodes": "mainstat", "Value #edges": "mainstat"},
			},
		}}, {"Edges", []panel{
			{
				title: "Edges as seen from both ends", kind: table, unit: "short", width: 24, height: 12,
				about: "The difference between both durations is what the network and queues before the server take.",
				queries: []query{
					{expr: edges, ref: "Rate"},
					{expr: failures(edgeMetric, side("client"), edgeEnds, window), ref: "Errors"},
					{expr: quantile(0.95, edgeMetric, side("client"), edgeEnds, window), ref: "Client"},
					{expr: quantile(0.95, edgeMetric, side("server"), edgeEnds, window), ref: "Server"},
				},
				rename: map[string]string{
					edgeClient: "Client", edgeServer: "Server", "Value #Rate": "Requests/s", "Value #Errors": "Errors",
					"Value #Client": "95 %, client", "Value #Server": "95 %, server",
				},
			},
			{
				title: "What is outside", kind: timeseries, unit: "reqps", width: 24, height: 8,
				about:   "Requests to and from what is no known service: by DNS name, by range of addresses, or the internet.",
				queries: []query{{expr: rate(edgeMetric, `sightglass_request_class="",sightglass_service_map_connection_type="virtual_node"`, edgeEnds, window), legend: label(edgeClient) + " - " + label(edgeServer)}},
			},
		}}},
	}
}
