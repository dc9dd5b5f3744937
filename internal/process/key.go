package process

import (
	"strconv"
	"strings"

	"github.com/sightglass/sightglass/internal/event"
)

// Key names a process until the machine reboots.
type Key = event.ProcessKey

// AppendKey appends the text form of a key, "<tgid>:<start, boot ns>", which
// records carry.
func AppendKey(dst []byte, k Key) []byte {
	dst = strconv.AppendUint(dst, uint64(k.TGID), 10)
	dst = append(dst, ':')
	return strconv.AppendUint(dst, k.Start, 10)
}

// ParseKey reads the text form of a key. It does not allocate.
func ParseKey(s string) (Key, bool) {
	pid, start, ok := strings.Cut(s, ":")
	if !ok {
		return Key{}, false
	}
	tgid, err := strconv.ParseUint(pid, 10, 32)
	if err != nil {
		return Key{}, false
	}
	ns, err := strconv.ParseUint(start, 10, 64)
	if err != nil {
		return Key{}, false
	}
	return Key{TGID: uint32(tgid), Start: ns}, true
}
