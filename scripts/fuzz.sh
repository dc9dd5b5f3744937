#!/bin/bash
# Runs every fuzz target of the repository, one after the other. FUZZTIME is the
# time for each (10s). A finding is written to the package's testdata/fuzz, and
# belongs into the repository together with its fix.
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

need_go
need_modules -test ./...
targets=0
while IFS=: read -r file line; do
	name=$(sed -E 's/^func (Fuzz[A-Za-z0-9_]*).*/\1/' <<<"$line")
	say "$(dirname "$file") $name"
	go test -run '^$' -fuzz "^$name\$" -fuzztime "${FUZZTIME:-10s}" "./$(dirname "$file")"
	targets=$((targets + 1))
done < <(git grep -E '^func Fuzz[A-Za-z0-9_]*\(' -- '*_test.go')
say "$targets fuzz targets ran for ${FUZZTIME:-10s} each without a finding"
