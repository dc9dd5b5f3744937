#!/bin/bash
# Builds the agent and starts it in the foreground; arguments go to 'run'.
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

need_linux "The agent"
need_root "The agent" run
need_go
read -ra packages <<<"$RUN_PACKAGES"
need_packages "${packages[@]}"
scripts/build.sh
say "starting bin/sightglass run $*"
exec bin/sightglass run "$@"
