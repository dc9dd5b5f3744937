#!/bin/bash
# Runs the eBPF tests on other kernels: testbed/kernels/README.md.
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

need_linux "The kernel matrix"
need_go
read -ra packages <<<"$KERNEL_PACKAGES"
need_packages "${packages[@]}"
exec testbed/kernels/matrix.sh "$@"
