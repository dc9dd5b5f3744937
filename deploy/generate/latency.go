package main

// serverMetrics are the metrics of what services answer.
var serverMetrics = []choice{
	{"HTTP", "http_server_request_duration_seconds"},
	{"RPC", "rpc_server_call_duration_seconds"},
	{"databases", "sightglass_db_server_operation_duration_seconds"},
	{"other protocols", "sightglass_server_request_duration_seconds"},
}

// Labels that tell services apart.
const (
	identity  = "service_namespace, k8s_namespace_name, service_name"
	ofService = `service_name="$service",k8s_namespace_name=~"$namespace"`
)

var (
	seconds = []limit{{0.5, "yellow"}, {1, "red"}}
	errors  = []limit{{0.01, "yellow"}, {0.05, "red"}}
)

var namespace = variable{
	name: "namespace", label: "Namespace", all: true,
	query: "label_values({__name__=~\"http_server_request_duration_seconds.*|rpc_server_call_duration_seconds.*\"}, k8s_namespace_name)",
}

func services() board {
	match := unary + `,k8s_namespace_name=~"$namespace"`
	of := func(form func(metric, match, by, over string) string) string {
		return form("$metric", match, identity, window)
	}
	percentile := func(q float64) string { return quantile(q, "$metric", match, identity, window) }
	return board{
		file: "services", title: "Services", about: "Rate, errors and duration of all services, as they answer.",
		variables: []variable{{name: "metric", label: "Protocol", choices: serverMetrics}, namespace},
		rows: []row{{"Services", []panel{
			{
				title: "All services", kind: table, unit: "short", width: 24, height: 10,
				about: "Requests that somebody waits for. Streams, long polls, health checks and requests from within the pod are left out.",
				queries: []query{
					{expr: of(rate), ref: "Rate"},
					{expr: of(failures), ref: "Errors"},
					{expr: percentile(0.5), ref: "Median"},
					{expr: percentile(0.95), ref: "P95"},
					{expr: percentile(0.99), ref: "P99"},
				},
				rename: map[string]string{
					"service_name": "Service", "k8s_namespace_name": "Namespace", "service_namespace": "Group",
					"Value #Rate": "Requests/s", "Value #Errors": "Errors", "Value #Median": "Median", "Value #P95": "95 %", "Value #P99": "99 %",
				},
			},
			{title: "Requests", kind: timeseries, unit: "reqps", width: 8, height: 9, queries: []query{{expr: of(rate), legend: label("service_name")}}},
			{title: "Share of errors", kind: timeseries, unit: "percentunit", width: 8, height: 9, limits: errors, queries: []query{{expr: of(failures), legend: label("service_name")}}},
			{title: "95th percentile", kind: timeseries, unit: "s", width: 8, height: 9, limits: seconds, queries: []query{{expr: percentile(0.95), legend: label("service_name")}}},
		}}, {"Objectives", []panel{
			{
				title: "Error budget burned, times the allowance", kind: timeseries, unit: "short", width: 24, height: 8,
				about:   "Over an hour, for a target of 99.9 %. Above 14.4 a month's budget is gone in two days.",
				queries: []query{{expr: "sightglass:objective_errors:ratio_rate1h / (1 - 0.999)", legend: label("service_name") + " " + label("sightglass_objective_name")}},
				limits:  []limit{{1, "yellow"}, {14.4, "red"}},
			},
		}}},
	}
}

// heat is a heat map of durations, native or by explicit buckets.
func heat(title, metric, match string) panel {
	return panel{
		title: title, kind: heatmap, unit: "s", width: 12, height: 9,
		queries: []query{
			{expr: "sum(rate(" + metric + "{" + match + "}[" + window + "]))"},
			{expr: "sum by (le) (rate(" + metric + "_bucket{" + match + "}[" + window + "]))", legend: label("le")},
		},
	}
}

// golden are the panels of one metric of a service, split by an attribute.
func golden(metric, match, by string) []panel {
	return []panel{
		{title: "Requests by " + by, kind: timeseries, unit: "reqps", width: 12, height: 8, stack: true, queries: []query{{expr: rate(metric, match, by, window), legend: label(by)}}},
		{title: "Errors by type", kind: timeseries, unit: "reqps", width: 12, height: 8, stack: true, queries: []query{{expr: rate(metric, match+`,error_type!=""`, "error_type", window), legend: label("error_type")}}},
		{title: "Duration", kind: timeseries, unit: "s", width: 12, height: 9, limits: seconds, queries: []query{
			{expr: quantile(0.5, metric, match, "service_name", window), legend: "50 %"},
			{expr: quantile(0.95, metric, match, "service_name", window), legend: "95 %"},
			{expr: quantile(0.99, metric, match, "service_name", window), legend: "99 %"},
		}},
		heat("Duration, all requests", metric, match),
		{title: "95th percentile by " + by, kind: timeseries, unit: "s", width: 24, height: 8, limits: seconds, queries: []query{{expr: quantile(0.95, metric, match, by, window), legend: label(by)}}},
	}
}

func oneService() board {
	match := unary + "," + ofService
	calls := unaryCalls + "," + ofService
	const database, by = "db_client_operation_duration_seconds", "db_system_name, db_namespace, db_query_summary"
	const messaging, operation = "messaging_client_operation_duration_seconds", "messaging_operation_name, messaging_destination_name"
	return board{
		file: "service", title: "Service", about: "One service over all its replicas: what it answers and whom it asks.",
		variables: []variable{namespace, {
			name: "service", label: "Service",
			query: "label_values({__name__=~\"http_server_request_duration_seconds.*|rpc_server_call_duration_seconds.*|messaging_client_operation_duration_seconds.*\",k8s_namespace_name=~\"$namespace\"}, service_name)",
		}},
		rows: []row{
			{"HTTP", golden("http_server_request_duration_seconds", match, "http_route")},
			{"RPC", golden("rpc_server_call_duration_seconds", match, "rpc_method")},
			{"Databases it asks", []panel{
				{
					title: "Statements", kind: table, unit: "short", width: 24, height: 9,
					queries: []query{
						{expr: rate(database, calls, by, window), ref: "Rate"},
						{expr: failures(database, calls, by, window), ref: "Errors"},
						{expr: quantile(0.95, database, calls, by, window), ref: "P95"},
					},
					rename: map[string]string{
						"db_system_name": "System", "db_namespace": "Database", "db_query_summary": "Statement",
						"Value #Rate": "Per second", "Value #Errors": "Errors", "Value #P95": "95 %",
					},
				},
				{title: "Operations", kind: timeseries, unit: "ops", width: 12, height: 8, queries: []query{{expr: rate(database, calls, "db_query_summary", window), legend: label("db_query_summary")}}},
				heat("Duration of operations", database, calls),
				{
					title: "Slow statements", kind: logList, width: 24, height: 9, logs: true,
					about:   "The statements that took most of the time of each minute, with their text (connector service_latency, traces to logs).",
					queries: []query{{expr: `{service_name="$service"} | event_name="sightglass.db.statement"`}},
				},
			}},
			{"Message brokers it uses", []panel{
				{
					title: "Messages", kind: timeseries, unit: "cps", width: 8, height: 8,
					about: "Sent to and consumed from each topic or queue; consumed ones by group.",
					queries: []query{
						{expr: plain("messaging_client_sent_messages_total", ofService, "messaging_destination_name"), legend: "sent to " + label("messaging_destination_name"), ref: "A"},
						{
							expr:   plain("messaging_client_consumed_messages_total", ofService, "messaging_destination_name, messaging_consumer_group_name"),
							legend: "consumed from " + label("messaging_destination_name") + " " + label("messaging_consumer_group_name"), ref: "B",
						},
					},
				},
				{
					title: "Operations, 95th percentile", kind: timeseries, unit: "s", width: 8, height: 8,
					about:   "Fetches that brought messages include the time that they waited for them.",
					queries: []query{{expr: quantile(0.95, messaging, calls, operation, window), legend: label("messaging_operation_name") + " " + label("messaging_destination_name")}},
				},
				{
					title: "Failed operations by type", kind: timeseries, unit: "reqps", width: 8, height: 8,
					queries: []query{{expr: rate(messaging, ofService+`,error_type!=""`, "messaging_operation_name, error_type", window), legend: label("messaging_operation_name") + " " + label("error_type")}},
				},
			}},
			{"Services it asks", []panel{
				{title: "HTTP calls", kind: timeseries, unit: "reqps", width: 8, height: 8, queries: []query{{expr: rate("http_client_request_duration_seconds", calls, "service_peer_name", window), legend: label("service_peer_name")}}},
				{title: "Share of HTTP calls that failed", kind: timeseries, unit: "percentunit", width: 8, height: 8, limits: errors, queries: []query{{expr: failures("http_client_request_duration_seconds", calls, "service_peer_name", window), legend: label("service_peer_name")}}},
				{title: "HTTP calls, 95th percentile", kind: timeseries, unit: "s", width: 8, height: 8, limits: seconds, queries: []query{{expr: quantile(0.95, "http_client_request_duration_seconds", calls, "service_peer_name", window), legend: label("service_peer_name")}}},
				{title: "RPC calls", kind: timeseries, unit: "reqps", width: 12, height: 8, queries: []query{{expr: rate("rpc_client_call_duration_seconds", calls, "rpc_method", window), legend: label("rpc_method")}}},
				{title: "RPC calls, 95th percentile", kind: timeseries, unit: "s", width: 12, height: 8, limits: seconds, queries: []query{{expr: quantile(0.95, "rpc_client_call_duration_seconds", calls, "rpc_method", window), legend: label("rpc_method")}}},
			}},
			{"What lasts on purpose", []panel{
				{
					title: "Streams, long polls, health checks", kind: timeseries, unit: "reqps", width: 24, height: 7,
					queries: []query{{expr: rate("http_server_request_duration_seconds", `sightglass_request_class!="",`+ofService, "sightglass_request_class", window), legend: label("sightglass_request_class")}},
				},
			}},
		},
	}
}
