package explain

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// keysOfType returns the keys of the block at path inside a configuration of
// type t, which the default configuration does not show: what is in a list or
// behind names of the user's choice. It returns nil where there is no block.
func keysOfType(t reflect.Type, path []string) []string {
	for _, name := range path {
		if t = within(plain(t), name); t == nil {
			return nil
		}
	}
	if t = plain(t); t.Kind() != reflect.Struct {
		return nil
	}
	return slices.Sorted(maps.Keys(fields(t)))
}

// within is the type of what name, a key or the index of an item, leads to.
func within(t reflect.Type, name string) reflect.Type {
	switch t.Kind() {
	case reflect.Slice, reflect.Map:
		return t.Elem()
	case reflect.Struct:
		return fields(t)[name]
	default:
		return nil
	}
}

// plain is t without pointers.
func plain(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// fields are the types of a struct's keys by name.
func fields(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("mapstructure"), ",")
		switch {
		case strings.Contains(options, "squash"):
			if inner := plain(f.Type); inner.Kind() == reflect.Struct {
				maps.Copy(out, fields(inner))
			}
		case name != "" && name != "-":
			out[name] = f.Type
		}
	}
	return out
}
