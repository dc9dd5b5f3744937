#!/bin/bash
# matrix.sh [flags] [KERNEL...]: runs the eBPF tests on other kernels, a line
# for each; exit code 1 when one fails. See README.md beside it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export CGO_ENABLED=0 GOFLAGS=${GOFLAGS:-'-trimpath -buildvcs=false -tags=grpcnotrace'}

missing=()
for spec in qemu-system-x86_64=qemu-system-x86 qemu-system-aarch64=qemu-system-arm; do
	command -v "${spec%%=*}" >/dev/null || missing+=("${spec#*=}")
done
if ((${#missing[@]})) && [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
	echo "installing ${missing[*]}" >&2
	apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "${missing[@]}" >/dev/null
fi
exec go run ./testbed/kernels "$@"
