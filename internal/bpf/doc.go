// Package bpf holds the compiled kernel programs, loads and attaches them, and
// reads what they write: the only package that talks to the kernel's BPF.
//
//	Options --Load--> Agent --Seed--------> processes that run already
//	                    |  \--Security(), Requests()--> Source.Run -> raw records
//	                    |------SetInterest, SetSelf: what is wanted, at run time
//	                    \------Hooks, Stats, Latencies: how it stands
//
// Raw records are decoded by internal/event. What the programs do is told in
// bpf/README.md.
package bpf
