package field

// ValueSource is a Source that has ready values by field name. It serves
// tests and "policy eval": the event's facts are given, not worked out.
type ValueSource interface {
	Source
	// FieldValue is the value of a field by its name as the condition writes
	// it, or by its canonical name.
	FieldValue(name string) (Value, bool)
}

// byValue makes r read its value by name.
func (t *Table) byValue(r *Ref, written string) {
	names := []string{r.Name}
	if r.Arg.Has && written == r.Field.Name {
		names = append(names, written+"["+r.Arg.Text+"]")
	} else if written != r.Name {
		names = append(names, written)
	}
	for _, n := range names {
		if typ, ok := t.types[n]; ok && (r.Field.Type == 0 || r.Field.Arg == ArgEvent) {
			r.Type = typ
		}
	}
	r.given = true
	r.get = func(c *Context, _ *Arg, v *Value) {
		src, ok := c.Source.(ValueSource)
		if !ok {
			return
		}
		for _, n := range names {
			if got, ok := src.FieldValue(n); ok {
				*v = got
				return
			}
		}
	}
}

// Values is a ValueSource over a map. It has no attributes.
type Values struct {
	Event string
	When  int64
	Map   map[string]Value
}

var _ ValueSource = (*Values)(nil)

// FieldValue implements ValueSource. The event's type need not be in the map.
func (s *Values) FieldValue(name string) (Value, bool) {
	if v, ok := s.Map[name]; ok {
		return v, v.Kind != None
	}
	if name == "evt.type" && s.Event != "" {
		return Value{Kind: Text, Text: s.Event}, true
	}
	return Value{}, false
}

// EventType implements Source.
func (s *Values) EventType() string { return s.Event }

// Time implements Source.
func (s *Values) Time() int64 { return s.When }

// String implements Source.
func (s *Values) String(Attr) (string, bool) { return "", false }

// Int implements Source.
func (s *Values) Int(Attr) (int64, bool) { return 0, false }

// Strings implements Source.
func (s *Values) Strings(Attr) ([]string, bool) { return nil, false }

// Named implements Source.
func (s *Values) Named(string) (string, bool) { return "", false }

// WithPrefix implements Source.
func (s *Values) WithPrefix(string, func(name, value string)) {}

// Ancestor implements Source.
func (s *Values) Ancestor(int, *Process) bool { return false }

// NameOf implements Source.
func (s *Values) NameOf(int64, bool) (string, bool) { return "", false }

// Leader implements Source.
func (s *Values) Leader(Group, *Process) bool { return false }
