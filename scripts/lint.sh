#!/bin/bash
# Go by golangci-lint (.golangci.yml holds the architecture too), C by
# clang-format, scripts by shellcheck, and the sizes of files.
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

MAX_GO_LINES=700
MAX_C_LINES=250

need_go
read -ra packages <<<"$LINT_PACKAGES"
need_packages "${packages[@]}"
need_modules -test ./...
rc=0

say "building the linter (the first time takes two minutes)"
step golangci-build "packages compiled" '^[a-z][^ ]*$' \
	go build -v -modfile=internal/tools/go.mod -o out/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
say "linting Go"
out/golangci-lint run --allow-serial-runners ./... || rc=1

say "checking the format of C"
git ls-files -z 'bpf/*.c' 'bpf/*.h' | xargs -0r clang-format-19 --dry-run --Werror || rc=1

say "checking scripts"
git ls-files -z '*.sh' .ci/run | xargs -0r shellcheck -x || rc=1

say "checking the sizes of files"
# too_long MAX FILE...: names the files that are longer than MAX lines.
too_long() {
	local max=$1
	shift
	awk -v max="$max" 'FNR == max + 1 { print FILENAME ": more than " max " lines; split it"; n++ } END { exit n > 0 }' "$@"
}
mapfile -t go_files < <(git ls-files '*.go' | grep -vE '(^|/)generated_|_bpfel\.go$')
mapfile -t c_files < <(git ls-files 'bpf/*.c' 'bpf/*.h' ':!bpf/kernel') # the kernel's types are a dictionary
too_long "$MAX_GO_LINES" "${go_files[@]}" || rc=1
((${#c_files[@]} == 0)) || too_long "$MAX_C_LINES" "${c_files[@]}" || rc=1

if ((rc == 0)); then say "nothing to complain about"; fi
exit "$rc"
