package main

// plain is a rate of a counter by labels.
func plain(metric, match, by string) string {
	return "sum by (" + by + ") (rate(" + metric + "{" + match + "}[" + window + "]))"
}

func security() board {
	match := unary + `,k8s_namespace_name=~"$namespace"`
	const metric = "http_server_request_duration_seconds"
	return board{
		file: "security", title: "Security and service",
		about:     "Detections and activity beside the latency, errors and traffic of services, on one time axis: what changed, and who did what then.",
		variables: []variable{namespace},
		rows: []row{{"Security", []panel{
			{title: "Detections by rule", kind: timeseries, unit: "short", width: 24, height: 7, stack: true, queries: []query{{
				expr: `sum by (rule, priority) (increase(otelcol_processor_security_policy_matched[` + window + `]))`, legend: label("priority") + " " + label("rule"),
			}}},
			{title: "Detections", kind: logList, width: 24, height: 9, logs: true, queries: []query{{expr: `{service_name=~".+"} | event_name="sightglass.policy.match"`}}},
		}}, {"Services at the same time", []panel{
			{title: "95th percentile", kind: timeseries, unit: "s", width: 24, height: 7, limits: seconds, queries: []query{{expr: quantile(0.95, metric, match, identity, window), legend: label("service_name")}}},
			{title: "Share of errors", kind: timeseries, unit: "percentunit", width: 24, height: 7, limits: errors, queries: []query{{expr: failures(metric, match, identity, window), legend: label("service_name")}}},
			{title: "Requests", kind: timeseries, unit: "reqps", width: 24, height: 7, queries: []query{{expr: rate(metric, match, identity, window), legend: label("service_name")}}},
		}}, {"Activity", []panel{
			{title: "Kept activity by kind", kind: timeseries, unit: "short", width: 24, height: 7, stack: true, queries: []query{{
				expr: plain("otelcol_processor_security_policy_kept", "", "event_name"), legend: label("event_name"),
			}}},
			{title: "Commands and logins", kind: logList, width: 24, height: 9, logs: true, queries: []query{{expr: `{service_name=~".+"} | event_name=~"sightglass.process.exec|sightglass.login.start|sightglass.login.end"`}}},
		}}},
	}
}

func agentHealth() board {
	const host = "instance"
	loss := []limit{{0.001, "red"}}
	return board{
		file: "agent", title: "Agents",
		about: "The health of agents and gateways, from what they send and from their own telemetry (port 8888). A zero among the losses is a zero.",
		rows: []row{{"Losses", []panel{
			{title: "Events lost", kind: timeseries, unit: "short", width: 8, height: 8, limits: loss, queries: []query{{expr: plain("sightglass_event_lost_total", "", "sightglass_event_class, sightglass_reason, host_name"), legend: label("sightglass_event_class") + " " + label("sightglass_reason") + " " + label("host_name")}}},
			{title: "Data points lost or still missing", kind: timeseries, unit: "short", width: 8, height: 8, limits: loss, queries: []query{
				{expr: plain("otelcol_connector_service_latency_points_sent", `outcome="lost"`, host), legend: "lost " + label(host)},
				{expr: plain("otelcol_connector_service_latency_gaps", "", host), legend: "gaps " + label(host)},
			}},
			{title: "Exporters that could not send", kind: timeseries, unit: "short", width: 8, height: 8, limits: loss, queries: []query{
				{expr: `sum by (exporter, instance) (rate({__name__=~"otelcol_exporter_(send|enqueue)_failed_(spans|log_records|metric_points)"}[` + window + `]))`, legend: label("exporter") + " " + label(host)},
			}},
		}}, {"Capture", []panel{
			{title: "Events received", kind: timeseries, unit: "short", width: 8, height: 8, queries: []query{{expr: plain("sightglass_event_received_total", "", "sightglass_event_class, host_name"), legend: label("sightglass_event_class") + " " + label("host_name")}}},
			{title: "Hooks that are not attached", kind: timeseries, unit: "short", width: 8, height: 8, limits: []limit{{1, "red"}}, queries: []query{{expr: `count by (host_name) (sightglass_hook_status_ratio == 0)`, legend: label("host_name")}}},
			{title: "Processes known", kind: timeseries, unit: "short", width: 8, height: 8, queries: []query{{expr: `sum by (host_name) (sightglass_process_count)`, legend: label("host_name")}}},
		}}, {"Latency connector", []panel{
			{title: "Spans by what became of them", kind: timeseries, unit: "short", width: 8, height: 8, stack: true, queries: []query{{expr: plain("otelcol_connector_service_latency_spans", "", "outcome"), legend: label("outcome")}}},
			{title: "Series, share of the limit", kind: timeseries, unit: "percentunit", width: 8, height: 8, limits: []limit{{0.8, "yellow"}, {1, "red"}}, queries: []query{{expr: "otelcol_connector_service_latency_series / otelcol_connector_service_latency_series_limit", legend: label("mode") + " " + label(host)}}},
			{title: "Data points merged by a gateway", kind: timeseries, unit: "short", width: 8, height: 8, stack: true, queries: []query{{expr: plain("otelcol_connector_service_latency_points_merged", "", "outcome"), legend: label("outcome")}}},
		}}, {"Cost", []panel{
			{title: "CPU, cores", kind: timeseries, unit: "short", width: 8, height: 8, queries: []query{{expr: plain("otelcol_process_cpu_seconds", "", host), legend: label(host)}}},
			{title: "Resident memory", kind: timeseries, unit: "bytes", width: 8, height: 8, queries: []query{{expr: "sum by (instance) (otelcol_process_memory_rss)", legend: label(host)}}},
			{title: "Sending queues, share of their capacity", kind: timeseries, unit: "percentunit", width: 8, height: 8, limits: []limit{{0.5, "yellow"}, {0.9, "red"}}, queries: []query{{expr: "otelcol_exporter_queue_size / otelcol_exporter_queue_capacity", legend: label("exporter") + " " + label("data_type") + " " + label(host)}}},
		}}},
	}
}

func boards() []board {
	return []board{services(), oneService(), serviceMap(), security(), agentHealth()}
}
