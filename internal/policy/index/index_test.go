package index

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy/check"
	"github.com/sightglass/sightglass/internal/policy/events"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/policy/lang"
)

func typesOfText(t *testing.T, cond string) Types {
	t.Helper()
	e, err := lang.Parse(cond, lang.DepthDefault)
	require.NoError(t, err, cond)
	res, err := check.Check(e, field.Standard())
	require.NoError(t, err, cond)
	return Of(res.Expr)
}

func TestTypesOf(t *testing.T) {
	all := events.Count()
	for _, tt := range []struct {
		cond string
		want []string // nil: see count
		n    int
	}{
		{"evt.type = open", []string{"open"}, 0},
		{"evt.type in (open, close)", []string{"close", "open"}, 0},
		{"evt.type = anyof (open, close)", []string{"close", "open"}, 0},
		{"evt.type = oneof (open, close)", []string{"close", "open"}, 0},
		{"syscall.type = open", []string{"open"}, 0},
		{"evt.type = open and proc.name = x", []string{"open"}, 0},
		{"evt.type = open and evt.type = close", nil, 0},
		{"evt.type = open or evt.type = close", []string{"close", "open"}, 0},
		{"evt.type = open or proc.name = x", nil, all},
		{"evt.type != open", nil, all - 1},
		{"not evt.type = open", nil, all - 1},
		{"not evt.type != open", []string{"open"}, 0},
		{"not (evt.type = open or evt.type = close)", nil, all - 2},
		{"not (evt.type = open and proc.name = x)", nil, all},
		{"not (evt.type != open or proc.name = x)", []string{"open"}, 0},
		{"not evt.type = oneof (open, open)", nil, all},
		{"evt.type != anyof (open, close)", nil, all},
		{"evt.type startswith open", nil, all},
		{"toupper(evt.type) = OPEN", nil, all},
		{"proc.name = x", nil, all},
		{"evt.type exists", nil, all},
		{"not evt.type exists", nil, 0},
		{"not syscall.type exists", nil, all},
		{"evt.type in ()", nil, 0},
		{"not evt.type in ()", nil, all},
		{"evt.num = 0", nil, 0},
		{"evt.num in (0)", nil, 0},
		{"evt.num < 1", nil, 0},
		{"evt.num <= 0", nil, 0},
		{"not evt.num = 0", nil, all},
		{"evt.num > 0", nil, all},
		{"not evt.num > 0", nil, 0},
		{"not evt.num >= 1", nil, 0},
		{"not evt.num != 0", nil, 0},
		{"not evt.num exists", nil, 0},
		{"evt.num = 5", nil, all},
		{"evt.num in (0, 5)", nil, all},
		{"evt.type = open and not evt.num = 0", []string{"open"}, 0},
		{"evt.type = open or evt.num = 0", []string{"open"}, 0},
		{"evt.type = open and evt.num = 0", nil, 0},
	} {
		got := typesOfText(t, tt.cond)
		if tt.want != nil {
			require.ElementsMatch(t, tt.want, got.Names(), tt.cond)
			continue
		}
		require.Equal(t, tt.n, got.Len(), tt.cond)
	}
}
