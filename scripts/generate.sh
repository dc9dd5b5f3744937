#!/bin/bash
# Everything that is generated is committed and made here:
#	cmd/sightglass/{main,components}.go   by ocb from builder-config.yaml
#	testbed/prometheus/collector          likewise, from distribution.yaml there
#	all else                              by the //go:generate line beside it
#
#	generate.sh [PACKAGES]    PACKAGES limits it to those go:generate lines
#	generate.sh --check       fails when a file would change
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

# collector MANIFEST FOLDER runs ocb as a generator only.
collector() {
	say "the collector of $1"
	step "ocb-$(basename "$2")" "lines" . go tool -modfile=internal/tools/go.mod builder \
		--config "$1" --skip-get-modules --skip-compilation
	rm -f "$2/main_windows.go"
}

# collectors makes ours, of whose files the two that define run() go away
# (cmd/sightglass/run.go is ours), and the other one of the tests.
collectors() {
	collector builder-config.yaml cmd/sightglass
	rm -f cmd/sightglass/main_others.go
	collector testbed/prometheus/distribution.yaml testbed/prometheus/collector
}

# every_metadata_is_generated: a component without its go:generate line would
# silently keep stale files.
every_metadata_is_generated() {
	local file
	while read -r file; do
		grep -q '^//go:generate .*mdatagen metadata.yaml' "$(dirname "$file")"/*.go ||
			die "$file has no '//go:generate go tool ... mdatagen metadata.yaml' beside it"
	done < <(git ls-files --cached --others --exclude-standard '*metadata.yaml')
}

generate() {
	need_go
	local packages
	read -ra packages <<<"$BPF_PACKAGES"
	need_packages "${packages[@]}"
	if (($# == 0)); then
		collectors
		every_metadata_is_generated
		set -- ./...
	fi
	say "go generate $* (components, eBPF objects, documents)"
	step generate "files written or lines" '.' go generate -x "$@"
}

# state is the content of everything that is not as committed.
state() {
	git diff HEAD
	git ls-files -z --others --exclude-standard | xargs -0r sha256sum
}

if [[ ${1:-} == --check ]]; then
	before=$(state)
	generate
	if [[ $(state) != "$before" ]]; then
		git status --short >&2
		git --no-pager diff --stat HEAD >&2
		die "generated files are not what 'make generate' makes; run it and commit"
	fi
	say "generated files are up to date"
else
	generate "$@"
	say "done"
fi
