#!/bin/bash
# Formats Go (gofumpt, goimports) and C (clang-format) in place.
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

need_go
need_packages clang-format-19=clang-format-19
go tool -modfile=internal/tools/go.mod golangci-lint fmt ./...
git ls-files -z 'bpf/*.c' 'bpf/*.h' | xargs -0r clang-format-19 -i
