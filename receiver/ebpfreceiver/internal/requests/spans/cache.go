package spans

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"unicode/utf8"
)

// Sizes of the caches, powers of two. What does not fit in gives way to what
// comes later: both are asked several times for each span, for few values.
const (
	textPlaces = 1 << 12
	addrPlaces = 1 << 10
)

// maxTextBytes is the length of the longest text that is kept.
const maxTextBytes = 256

// texts makes strings of bytes that are likely to be seen again.
type texts struct {
	seed   maphash.Seed
	places [textPlaces]string // by hash
}

// intern returns b as valid UTF-8, from the cache when it was seen before.
func (t *texts) intern(b []byte) string {
	if len(b) > maxTextBytes {
		return valid(string(b))
	}
	place := &t.places[maphash.Bytes(t.seed, b)%textPlaces]
	if *place == string(b) {
		return *place
	}
	s := string(b)
	if !utf8.ValidString(s) {
		return valid(s) // which another text may be, too
	}
	*place = s
	return s
}

// addrs prints addresses.
type addrs struct {
	places [addrPlaces]printed
}

type printed struct {
	addr [16]byte
	text string // empty: there is none
}

// print prints an address; IPv4 addresses that are mapped into IPv6 are printed
// as IPv4, so that both sides of a connection agree.
func (p *addrs) print(a *[16]byte) string {
	ne := binary.NativeEndian
	const spread = 0x9e3779b97f4a7c15 // 2^64 by the golden ratio
	hash := (ne.Uint64(a[:8])*spread ^ ne.Uint64(a[8:])) * spread
	place := &p.places[hash>>32%addrPlaces]
	if place.text == "" || place.addr != *a {
		*place = printed{*a, netip.AddrFrom16(*a).Unmap().String()}
	}
	return place.text
}
