#!/bin/bash
# Vets and tests every package against the real kernel. Arguments go to
# 'go test'. The raw events stay in out/logs/test.json.
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

need_linux "The test suite"
need_root "The test suite" test
need_go
read -ra packages <<<"$TEST_PACKAGES"
tools=(amqp kafka mongodb s3) # programs of the tests, each a module of its own
need_packages "${packages[@]}"
need_modules -test ./...
step modules-prometheus "modules downloaded" '^go: downloading' go -C testbed/prometheus list -e -deps -test ./...
for tool in "${tools[@]}"; do
	step "modules-$tool" "modules downloaded" '^go: downloading' go -C "testbed/$tool" list -e -deps ./...
done

# What comes from the registry of npm, wherever npm's own configuration has that. It
# may be out of reach: then the tests that need it skip and say so. Node.js itself
# would not know who this machine trusts, unless it is Debian's.
packages_of_node() {
	NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt} timeout 240 \
		npm ci --prefix testbed/node --no-audit --no-fund --fetch-retries=4 --fetch-retry-maxtimeout=20000
}
if [[ ! testbed/node/node_modules/.package-lock.json -nt testbed/node/package-lock.json ]]; then
	# In a shell of its own, which a failed step ends.
	if ! command -v npm >/dev/null || ! (step modules-node "packages installed" '^added' packages_of_node); then
		rm -rf testbed/node/node_modules
		say "npm ci did not succeed: what needs its packages is skipped"
	fi
fi

scripts/image.sh
say "vetting, which compiles what only tests need"
step vet "packages vetted" '^(#|vet:)' go vet ./...
step vet-prometheus "packages vetted" '^(#|vet:)' go -C testbed/prometheus vet ./...
for tool in "${tools[@]}"; do
	step "vet-$tool" "packages vetted" '^(#|vet:)' go -C "testbed/$tool" vet ./...
done
go build -o out/testreport ./scripts/testreport

say "testing"
# What testbed/endtoend and testbed/image run.
export SIGHTGLASS_BINARY=$PWD/bin/sightglass SIGHTGLASS_IMAGE=$PWD/out/sightglass.oci.tar

# What watches the whole machine or runs containers on it runs one by one, after
# the rest: such tests overload the kernel's buffers on purpose, or count losses.
alone='/(internal/bpf|internal/container|ebpfreceiver|ebpfreceiver/internal/requests|testbed/endtoend|testbed/image|testbed/rules)$'
go list ./... >"$LOGS/packages"
mapfile -t together < <(grep -vE "$alone" "$LOGS/packages")
mapfile -t one_by_one < <(grep -E "$alone" "$LOGS/packages")
# The time limit of a package is for what hangs, not for a slow machine.
flags=(-json -vet=off -count=1 -timeout=1h)
# Others use the machine, too: what fails runs once more, and the report names
# what passed only then.
again() {
	local package pattern failed=0 tests
	tests=$(out/testreport -again <"$1")
	[[ -n $tests ]] || return 1
	while read -r package pattern; do
		go test "${flags[@]}" "${@:2}" -run "$pattern" "$package" || failed=1
	done <<<"$tests"
	return "$failed"
}

{
	failed=0
	go test "${flags[@]}" "$@" "${together[@]}" | tee "$LOGS/together.json" || again "$LOGS/together.json" "$@" || failed=1
	go test "${flags[@]}" -p 1 "$@" "${one_by_one[@]}" | tee "$LOGS/alone.json" || again "$LOGS/alone.json" "$@" || failed=1
	go -C testbed/prometheus test "${flags[@]}" "$@" ./... || failed=1 # a module of its own
	exit "$failed"
} | tee "$LOGS/test.json" | out/testreport
