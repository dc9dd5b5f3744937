// Package screen draws what the terminal shows: lines of activity, the table
// of services, the state of the watch. Everything is a pure function of its
// arguments and appends whole lines to a buffer.
//
// All text that comes from outside arrives as [text.Safe], so the only escape
// sequences in the output are the colours that this package writes itself.
package screen
