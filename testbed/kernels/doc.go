//go:build linux

// Command kernels runs Go test binaries on other kernels, in throw-away QEMU
// guests. The same binary plays both parts:
//
//	host:  fetch kernels -> build tests -> pack an initramfs -> QEMU -> a line per kernel
//	guest: as pid 1, mount what tests need -> run each test binary -> report -> power off
//
// README.md tells how to use it.
package main
