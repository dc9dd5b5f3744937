package spans

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPatterns(t *testing.T) {
	all, err := ParsePatterns([]string{"/", "/users/{id}", "/users/{id}/orders", "/users/me", "/files/{path...}", "/trailing/"})
	require.NoError(t, err)
	for path, want := range map[string]string{
		"/":                   "/",
		"/users/17":           "/users/{id}",
		"/users/me":           "/users/{id}", // the first counts
		"/users/17/orders":    "/users/{id}/orders",
		"/users/17/orders/3":  "",
		"/users/":             "",
		"/users":              "",
		"/files/a/b/c":        "/files/{path...}",
		"/files/":             "/files/{path...}",
		"/trailing/":          "/trailing/",
		"/trailing":           "",
		"":                    "",
		"*":                   "",
		"/other":              "",
		"/users/%2e%2e":       "/users/{id}",
		"/users/17/orders?x=": "",
	} {
		got, ok := all.Match([]byte(path))
		assert.Equal(t, want, got, path)
		assert.Equal(t, want != "", ok, path)
	}
}

func TestPatternErrors(t *testing.T) {
	for text, want := range map[string]string{
		"users/{id}": "begins with /",
		"":           "begins with /",
		"/a{id}":     "neither fixed nor {name}",
		"/{id}x":     "neither fixed nor {name}",
		"/{}":        "neither fixed nor {name}",
		"/{a...}/b":  "only stand at the end",
	} {
		_, err := ParsePatterns([]string{text})
		assert.ErrorContains(t, err, want, text)
	}
}

func FuzzPatterns(f *testing.F) {
	f.Add("/users/{id}", "/users/17")
	f.Add("/{a...}", "/")
	f.Fuzz(func(_ *testing.T, text, path string) {
		if all, err := ParsePatterns([]string{text}); err == nil {
			all.Match([]byte(path))
		}
	})
}
