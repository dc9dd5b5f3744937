// Package alert delivers alerts over HTTP, one JSON object per request, in the
// order in which they were made.
//
//	Send -> bounded queue -> one sender with retries -> server
//
// Every alert ends up either sent or dropped for a reason that is counted.
package alert
