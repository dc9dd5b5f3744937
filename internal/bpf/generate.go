package bpf

// The compiled programs and the Go twins of their types. The .o files hold no
// path of the machine that made them: -ffile-prefix-map and -strip see to it.
//go:generate go tool bpf2go -cc clang-19 -strip llvm-strip-19 -target amd64,arm64 -type wire -type event_header -type event_task -type event_syscall -type event_extra -type event_exec -type event_identity -type event_file -type event_socket -type event_fork -type event_exit -type event_cgroup -type arg_kind -type event_part -type event_extra_kind -type call_flag -type call_result -type spec_flag -type call_wish -type path_set -type filter_reason -type loss_reason -type event_class security ../../bpf/security.bpf.c -- -O2 -mcpu=v3 -Wall -Wextra -Wpadded -Werror -isystem ../../bpf/kernel
