#!/bin/bash
# Vets and tests every package against the real kernel. Arguments go to
# 'go test'. The raw events stay in out/logs/test.json.
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

need_linux "The test suite"
need_root "The test suite" test
need_go
read -ra packages <<<"$TEST_PACKAGES"
need_packages "${packages[@]}"
need_modules -test ./...

say "compiling the agent"
step build "packages compiled" '^[a-z][^ ]*$' go build -v ./...
say "vetting, which compiles the tests' own dependencies"
step vet "packages vetted" '^(#|vet:)' go vet ./...
go build -o out/testreport ./scripts/testreport

say "testing"
go test -json -vet=off -count=1 "$@" ./... | tee "$LOGS/test.json" | out/testreport
