//go:build linux

package realpath

import (
	"encoding/binary"
	"time"
)

// Bounds of what is remembered of symbolic links.
const (
	maxLinksMade = 1024
	maxTarget    = 1024 // bytes
	// A link that is older lies where it was made, or its end was not seen.
	linkAge = uint64(10 * time.Second)
)

// Links are the symbolic links that were made lately, by the calls that made,
// renamed and removed them: names are followed a moment after their calls, when
// the links on their way may be gone. Of too many the oldest are forgotten. One
// goroutine uses it.
type Links struct {
	made  map[string]link
	order [maxLinksMade]string // keys by age, a ring
	next  int
	key   []byte // room
}

// link is where a symbolic link leads.
type link struct {
	target string
	at     uint64 // when it was made, ns since boot
}

// NewLinks knows of none.
func NewLinks() *Links { return &Links{made: make(map[string]link)} }

// Made notes a link, at a time in ns since boot. path is where it lies in a
// mount name space.
func (l *Links) Made(mountNS uint32, path, target []byte, at uint64) {
	if len(target) == 0 || len(target) > maxTarget {
		return
	}
	l.put(string(l.keyOf(mountNS, path)), link{target: string(target), at: at})
}

// Renamed notes that whatever lies at a path has got another one.
func (l *Links) Renamed(mountNS uint32, from, to []byte) {
	moved, ok := l.made[string(l.keyOf(mountNS, from))]
	l.Removed(mountNS, from)
	l.Removed(mountNS, to)
	if ok {
		l.put(string(l.keyOf(mountNS, to)), moved)
	}
}

// Removed notes that nothing lies at a path any more.
func (l *Links) Removed(mountNS uint32, path []byte) {
	if len(l.made) > 0 {
		delete(l.made, string(l.keyOf(mountNS, path)))
	}
}

func (l *Links) put(key string, made link) {
	if _, ok := l.made[key]; !ok {
		delete(l.made, l.order[l.next])
		l.order[l.next] = key
		l.next = (l.next + 1) % maxLinksMade
	}
	l.made[key] = made
}

// at is where a path led at a time; "" when no link is known there.
func (l *Links) at(mountNS uint32, path []byte, now uint64) string {
	if l == nil || len(l.made) == 0 {
		return ""
	}
	made, ok := l.made[string(l.keyOf(mountNS, path))]
	if !ok || now < made.at || now-made.at > linkAge {
		return ""
	}
	return made.target
}

// keyOf is valid until the next call.
func (l *Links) keyOf(mountNS uint32, path []byte) []byte {
	l.key = append(binary.NativeEndian.AppendUint32(l.key[:0], mountNS), path...)
	return l.key
}
