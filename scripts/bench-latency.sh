#!/bin/bash
# Compares service_latency with span_metrics of the collector's contrib
# repository and writes the table in testbed/README.md. Arguments go to
# testbed/bench.
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

need_go
need_modules ./testbed/bench
say "compiling the comparison, a Go module of its own"
step comparison "packages compiled" '^[a-z][^ ]*$' \
	go -C connector/servicelatencyconnector/comparison build -v -o "$PWD/out/comparison" .
go build -o out/bench ./testbed/bench
say "comparing, about two minutes"
out/bench -connectors out/comparison -readme testbed/README.md "$@"
