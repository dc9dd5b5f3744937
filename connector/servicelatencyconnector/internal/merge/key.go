package merge

import (
	"cmp"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/attribute"
)

// Sorter brings attributes into an order that does not depend on who sent them.
// It is reused by one goroutine.
type Sorter struct{ list []named }

type named struct {
	name  string
	value aggregate.Value
}

// AppendKey appends the attributes that keep admits, all if keep is nil, by
// their names.
func (s *Sorter) AppendKey(dst []byte, attrs pcommon.Map, keep func(name string) bool) []byte {
	s.list = s.list[:0]
	for name, v := range attrs.All() {
		if keep == nil || keep(name) {
			s.list = append(s.list, named{name, attribute.Value(v)})
		}
	}
	slices.SortFunc(s.list, func(a, b named) int { return cmp.Compare(a.name, b.name) })
	for _, a := range s.list {
		if a.value.Kind() != aggregate.Absent {
			dst = aggregate.AppendNamed(dst, a.name, a.value)
		}
	}
	return dst
}
