#!/bin/bash
# Links bin/sightglass, stamps it with the commit, and holds its size: the byte
# budget and the linker's removal of unused methods.
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

BUDGET_MB=75
OUT=${OUT:-bin/sightglass}
MAIN=github.com/sightglass/sightglass/cmd/sightglass

need_go
need_modules ./cmd/sightglass

# The commit alone: a build of the same tree gives the same bytes.
revision=$(git -c safe.directory="$PWD" describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null || echo unknown)
say "compiling (the first time takes minutes: about 1,600 packages)"
step compile "packages compiled" '^[a-z][^ ]*$' \
	go build -v -o "$OUT" -ldflags "-s -w -X main.revision=$revision -dumpdep" ./cmd/sightglass

bytes=$(stat -c %s "$OUT")
say "$OUT: $((bytes / 1000000)).$((bytes / 100000 % 10)) MB stripped (budget $BUDGET_MB MB), revision $revision"
((bytes <= BUDGET_MB * 1000000)) || die "$OUT is over its budget of $BUDGET_MB MB: docs/adr/0004-component-set.md"

# One reachable reflect.Value.Method makes the linker keep every exported method
# of every reachable type: 20 MB and more.
if grep -F '<ReflectMethod>' "$LOGS/compile.log" | head -n 5 >"$LOGS/reflect.log" && [[ -s $LOGS/reflect.log ]]; then
	cat "$LOGS/reflect.log" >&2
	die "unused methods are no longer removed from $MAIN; the first line names who calls reflect.Value.Method"
fi
