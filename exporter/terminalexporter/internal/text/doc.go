// Package text turns what other programs chose (command lines, paths, names)
// into text that is harmless on a terminal, and measures and cuts it.
//
// The one invariant: a [Safe] holds no control character, no invalid UTF-8 and
// no invisible formatting rune, so nothing that prints a Safe can move the
// cursor, change a title, hide or reorder text. Only the functions of this
// package and constants of its users make one.
package text
