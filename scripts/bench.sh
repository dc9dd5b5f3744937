#!/bin/bash
# Measures the agent and writes the tables of testbed/README.md. Arguments go to
# testbed/bench.
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

need_linux "The benchmark"
need_root "The benchmark" bench
need_go
scripts/build.sh
say "compiling the benchmark"
step bench-build "packages compiled" '^[a-z][^ ]*$' go build -v -o out/ ./testbed/bench ./testbed/bench/load
exec out/bench -agent bin/sightglass -load out/load -readme testbed/README.md "$@"
