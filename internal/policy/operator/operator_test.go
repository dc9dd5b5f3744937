package operator

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/policy/field"
)

func TestTableIsIndexedByID(t *testing.T) {
	for i, row := range Table {
		require.Equal(t, ID(i+1), row.ID)
		require.Same(t, &Table[i], ByID(row.ID))
		require.NotEmpty(t, row.Doc)
		require.Equal(t, row.Name, row.ID.String())
	}
}

// The lexer tries the rows in order, so that a spelling may not stand behind
// one of its own prefixes within its group.
func TestTableOrderHasNoShadowedSpelling(t *testing.T) {
	for i, a := range Table {
		for _, b := range Table[i+1:] {
			if a.Syntax == b.Syntax && !a.Word {
				require.False(t, strings.HasPrefix(b.Name, a.Name), "%s before %s", a.Name, b.Name)
			}
		}
	}
}

func TestByName(t *testing.T) {
	row, ok := ByName("==")
	require.True(t, ok)
	require.Equal(t, Eq, row.ID)
	_, ok = ByName("frobulate")
	require.False(t, ok)
	_, ok = ByName("")
	require.False(t, ok)
}

func TestClasses(t *testing.T) {
	require.True(t, ByID(Contains).Fields.Has(field.ClassBytes))
	require.False(t, ByID(Contains).Fields.Has(field.ClassNumber))
	require.True(t, ByID(In).Lists)
	require.False(t, ByID(Eq).Lists)
}

func TestParseComparison(t *testing.T) {
	for _, tt := range []struct {
		in  string
		id  ID
		mod Modifier
		ok  bool
	}{
		{"=", Eq, Plain, true},
		{"  startswith \t oneof ", StartsWith, OneOf, true},
		{"!= allof", Ne, AllOf, true},
		{"in", In, Plain, true},
		{"in oneof", None, Plain, false},
		{">= oneof", None, Plain, false},
		{"= some", None, Plain, false},
		{"= oneof anyof", None, Plain, false},
		{"", None, Plain, false},
	} {
		id, mod, ok := ParseComparison(tt.in)
		require.Equal(t, tt.ok, ok, tt.in)
		require.Equal(t, tt.id, id, tt.in)
		require.Equal(t, tt.mod, mod, tt.in)
	}
	require.Equal(t, "anyof", AnyOf.String())
	require.Empty(t, Plain.String())
}
