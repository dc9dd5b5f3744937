package spans

import "unsafe"

// sharedPlaces is a power of two. A text that has no place is shared by nobody.
const sharedPlaces = 1 << sharedBits

const sharedBits = 10

// shared are texts that the attributes of many spans have in common. They are told
// apart by where their bytes are: constants and what texts and addrs keep are always
// at the same place.
type shared [sharedPlaces]*string

// of returns a box with a text as valid UTF-8. Nobody may change what is in it.
func (s *shared) of(text string) *string {
	const spread = 0x9e3779b97f4a7c15 // 2^64 by the golden ratio
	at := unsafe.StringData(text)
	place := &s[uint64(uintptr(unsafe.Pointer(at)))*spread>>(64-sharedBits)]
	// The box keeps the bytes, so that no others can be where they are.
	if box := *place; box != nil && unsafe.StringData(*box) == at && len(*box) == len(text) {
		return box
	}
	box := new(string)
	*box = valid(text)
	*place = box
	return box
}
