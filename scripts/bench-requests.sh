#!/bin/bash
# Measures what following requests costs servers and the agent, and writes the
# table in testbed/README.md. Arguments go to testbed/bench.
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

need_linux "The benchmark"
need_root "The benchmark" bench-requests
need_go
read -ra packages <<<"$REQUEST_PACKAGES"
need_packages "${packages[@]}"
scripts/build.sh
say "compiling the benchmark"
step bench-build "packages compiled" '^[a-z][^ ]*$' go build -v -o out/ ./testbed/bench ./testbed/bench/load
exec out/bench -requests servers,tls,probes,rate,stages -agent bin/sightglass -load out/load -readme testbed/README.md "$@"
