package bpf

// The programs of the request capture, an object of their own: they share maps
// with the others (bpf/lib/maps.h).
//go:generate go tool bpf2go -cc clang-19 -strip llvm-strip-19 -target amd64,arm64 -type requests_call -type requests_framing -type requests_record -type requests_shape -type requests_signature_flag -type requests_verdict -type requests_way requests ../../bpf/requests.bpf.c -- -O2 -mcpu=v3 -Wall -Wextra -Wpadded -Werror -isystem ../../bpf/kernel
