// Package footprint gives memory back that only the start of the program needed:
// every component registers its protocols and types, programs are loaded into the
// kernel, and the machine is looked at for the first time. That is tens of
// megabytes, most of them pages of the program's own file. And it keeps the garbage
// within what the process may have, and within what a busy program needs.
package footprint
