package bpf

// The programs on probes in TLS libraries, an object of their own: they share
// maps with the request capture (bpf/tls.h).
//go:generate go tool bpf2go -cc clang-19 -strip llvm-strip-19 -target amd64,arm64 tls ../../bpf/tls.bpf.c -- -O2 -mcpu=v3 -Wall -Wextra -Wpadded -Werror -isystem ../../bpf/kernel
