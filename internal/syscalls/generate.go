package syscalls

//go:generate go run ./gen ../../docs/generated/syscalls.md
