package bpf

import (
	"strings"

	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// Sizes and constants of bpf/lib/filter.h.
const (
	filterSets      = 8
	filterName      = 8 // bytes of a name that count
	filterHashOne   = 0x9e3779b97f4a7c15
	filterHashTwo   = 0xc2b2ae3d27d4eb4f
	filterHashShift = 52

	filterInodeWords = 512
	filterInodeShift = 49
)

// knownInodes is the bitmap of some inodes, of which the bits in mask count. One
// that stays in it keeps its bit while the whole is replaced.
func knownInodes(inodes []uint64, mask uint64) *[filterInodeWords]uint64 {
	bits := new([filterInodeWords]uint64)
	for _, n := range inodes {
		hash := (n & mask) * filterHashOne >> filterInodeShift
		bits[hash>>6] |= 1 << (hash & 63)
	}
	return bits
}

// newCallFilter makes the kernel's form of the filters of a set: everything of
// calls without a filter, and of those that need more sets of paths than there
// is room for.
func newCallFilter(set interest.Set) *securityCallFilter {
	b := filterBuilder{out: &securityCallFilter{}}
	for i := range syscalls.Table {
		spec := &syscalls.Table[i]
		wishes := &b.out.Wishes[i+1]
		f := set.Filter(spec.Name)
		if f == nil {
			f = interest.Everything()
		} else if interest.HasAccess(spec.Name) && accessArg(spec) == 0 {
			f = withoutAccess(f)
		}
		for c := range f {
			wishes[c] = b.wish(&f[c])
		}
	}
	return b.out
}

// accessArg is the argument that is the flags of an open call, plus one; 0 when
// the kernel side does not find the access mode.
func accessArg(spec *syscalls.Spec) uint8 {
	if !interest.HasAccess(spec.Name) {
		return 0
	}
	return uint8(spec.ArgIndex("flags") + 1)
}

// withoutAccess wants in each class what f wants with any access mode.
func withoutAccess(f *interest.Filter) *interest.Filter {
	out := &interest.Filter{}
	for c := range f {
		for d := range f {
			if interest.Class(c).Failed() == interest.Class(d).Failed() {
				out[c] = out[c].Or(&f[d])
			}
		}
	}
	return out
}

type filterBuilder struct {
	out  *securityCallFilter
	sets []interest.Wish // made so far
}

// wish is the number for what is wanted of a class.
func (b *filterBuilder) wish(w *interest.Wish) uint8 {
	switch {
	case w.None():
		return uint8(securityCallWishWISH_NONE)
	case w.Any || len(w.Programs) > 0: // the kernel side does not know programs
		return uint8(securityCallWishWISH_ALL)
	}
	for n := range b.sets {
		if b.sets[n].Equal(w) {
			return uint8(securityCallWishWISH_SET) + uint8(n)
		}
	}
	n := len(b.sets)
	if n == filterSets {
		return uint8(securityCallWishWISH_ALL)
	}
	named, ok1 := newPathSet(w.Named)
	resolved, ok2 := newPathSet(w.Resolved)
	if !ok1 || !ok2 {
		return uint8(securityCallWishWISH_ALL)
	}
	b.sets = append(b.sets, *w)
	b.out.Named[n], b.out.Resolved[n] = named, resolved
	return uint8(securityCallWishWISH_SET) + uint8(n)
}

// newPathSet makes the bitmap of some beginnings; ok is false when one of them
// says less than the kernel side can look up.
func newPathSet(list interest.Beginnings) (set securityPathSet, ok bool) {
	for _, p := range list {
		set.Used = 1
		if strings.HasPrefix(p, "//") {
			continue // no plain path begins so, and others pass
		}
		hash, ok := pathHash(p)
		if !ok {
			return set, false
		}
		hash >>= filterHashShift
		set.Bits[hash>>6] |= 1 << (hash & 63)
	}
	return set, true
}

// pathHash is the hash of the names that a beginning of a path tells in full,
// of both or of the first alone.
func pathHash(p string) (hash uint64, ok bool) {
	p, whole := strings.CutSuffix(strings.TrimPrefix(p, "/"), interest.Whole)
	first, rest, below := strings.Cut(p, "/")
	if !below && !whole && len(first) < filterName {
		return 0, false // more of the name may follow
	}
	hash = word(first) * filterHashOne
	if len(first) >= filterName {
		return hash, true
	}
	second, _, deeper := strings.Cut(rest, "/")
	if !deeper && !whole && len(second) < filterName {
		return hash, true // any second name, or one that begins so
	}
	return (hash ^ word(second)) * filterHashTwo, true
}

// word is the first bytes of a name as a little-endian number.
func word(name string) (w uint64) {
	for i := range min(len(name), filterName) {
		w |= uint64(name[i]) << (8 * i)
	}
	return w
}
