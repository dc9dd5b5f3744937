#!/bin/bash
# Measures what rules cost per event and, as root, what a flood of opened files
# costs, and writes the tables in testbed/README.md.
# SIGHTGLASS_FALCO_RULES names a directory with Falco's own rule files, which
# are measured too when it is set. Arguments go to testbed/bench.
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

need_go
need_modules -test ./internal/record ./testbed/bench
say "compiling the benchmark"
go test -c -o out/policies.test ./internal/record
go build -o out/bench ./testbed/bench
[[ -n ${SIGHTGLASS_FALCO_RULES:-} ]] || say "SIGHTGLASS_FALCO_RULES names no directory with Falco's rule files: measuring without them"
out/bench -policies out/policies.test -readme testbed/README.md "$@"
if ((EUID != 0)); then
	say "no root: the floods are not measured"
	exit 0
fi
scripts/build.sh
go build -o out/load ./testbed/bench/load
out/bench -flood -agent bin/sightglass -load out/load -readme testbed/README.md "$@"
out/bench -integrity -agent bin/sightglass -load out/load -readme testbed/README.md "$@"
