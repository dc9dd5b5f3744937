# shellcheck shell=bash
# Sourced by every script beside it: moves to the top of the repository, checks
# that make set the environment, and reports what takes time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
: "${CGO_ENABLED:?start this through make, which sets the one build environment}"
: "${GOFLAGS:?start this through make, which sets the one build environment}"

LOGS=out/logs
HEARTBEAT=${HEARTBEAT:-15} # seconds between two signs of life of a long step
export STARTED=${STARTED:-$(date +%s)} # one clock for a script and those it calls
SECONDS=$(($(date +%s) - STARTED))

# What sudo made belongs to whoever called it, so that the next make without
# sudo can write there.
own_outputs() {
	if [[ -n ${SUDO_UID:-} ]]; then
		chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" out bin 2>/dev/null || true
	fi
}
trap own_outputs EXIT

# say TEXT...: one line with the seconds since make called the first script.
say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

# step NAME UNIT FILTER CMD...: runs CMD with its output in out/logs/NAME.log.
# While it runs, a line every HEARTBEAT seconds counts the log lines that match
# FILTER as UNIT. When it fails, the end of the log is shown.
step() {
	local name=$1 unit=$2 filter=$3 log=$LOGS/$1.log pid last=$SECONDS rc=0
	shift 3
	mkdir -p "$LOGS"
	"$@" >"$log" 2>&1 &
	pid=$!
	trap 'kill "$pid" 2>/dev/null; exit 130' INT TERM
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		if ((SECONDS - last >= HEARTBEAT)); then
			last=$SECONDS
			say "  $name: $(grep -cE "$filter" "$log" || true) $unit so far"
		fi
	done
	wait "$pid" || rc=$?
	trap - INT TERM
	if ((rc != 0)); then
		# Names of compiled packages and the linker's dependencies are no help.
		grep -vE ' -> |^[a-z][^ :]*$' "$log" | tail -n 20 >&2 || true
		die "$name failed with exit code $rc; the whole output is in $log"
	fi
}

need_root() {
	[[ $(id -u) == 0 ]] || die "$1 loads eBPF programs and needs root: sudo make $2"
}

need_linux() {
	[[ $(uname -s) == Linux ]] || die "$1 needs Linux 5.10 or newer; elsewhere only 'make build' and 'make lint' are of use"
}

# need_go finds Go where sudo's PATH does not look, and checks its version.
need_go() {
	command -v go >/dev/null || PATH=$PATH:/usr/local/go/bin:/usr/lib/go/bin
	command -v go >/dev/null || die "Go is missing; install $(sed -n 's/^go //p' go.mod) or newer: https://go.dev/doc/install"
	local version
	version=$(go version 2>&1) || die "$version"
}

# missing_packages PACKAGE[=COMMAND]...: those that are neither installed nor
# replaced by a COMMAND of another origin (such as containerd.io's containerd).
missing_packages() {
	local spec
	for spec in "$@"; do
		if [[ $spec == *=* ]] && PATH=$PATH:/usr/sbin:/sbin command -v "${spec#*=}" >/dev/null; then continue; fi
		if [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "${spec%%=*}" 2>/dev/null) == ii* ]]; then continue; fi
		echo "${spec%%=*}"
	done
}

# need_packages PACKAGE[=COMMAND]...: installs what is missing, once, by apt.
need_packages() {
	local missing
	mapfile -t missing < <(missing_packages "$@")
	((${#missing[@]})) || return 0
	command -v apt-get >/dev/null ||
		die "not a Debian or Ubuntu system: please install what these packages hold: ${missing[*]}"
	[[ $(id -u) == 0 ]] ||
		die "missing packages: sudo apt-get install --no-install-recommends ${missing[*]}"
	say "installing with apt-get: ${missing[*]}"
	step apt-update "lists" '^(Get|Hit)' apt-get update -q
	step apt-install "packages" '^Setting up' install_quietly "${missing[@]}"
}

# install_quietly PACKAGE...: without starting the services that the packages
# bring, without questions, and never by removing something else.
install_quietly() {
	mkdir -p /usr/share/man/man1 # Java's packages link into it; small images have none
	local policy=/usr/sbin/policy-rc.d
	if [[ ! -e $policy ]]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	fi
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends --no-remove "$@"
}

# need_modules ARGS...: downloads the modules of what 'go list ARGS' names. Not
# 'go mod download', which fetches the whole module graph, three times as much.
need_modules() {
	if [[ -n ${MODULES_CHECKED:-} ]]; then return 0; fi
	export MODULES_CHECKED=1 # for scripts that this one calls, which need fewer
	say "checking the Go modules (the first time downloads about 600 MB)"
	step modules "modules downloaded" '^go: downloading' go list -e -deps "$@" # the build tells what is wrong
}
