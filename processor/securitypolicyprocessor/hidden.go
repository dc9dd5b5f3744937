package securitypolicyprocessor

import (
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/redact"
)

// hidden shows an event with the secrets masked in the command lines and
// environments of all processes. Outputs are made from it; rules see the event
// itself. masked counts the texts and vectors that had one.
type hidden struct {
	field.Source
	r      *redactor
	masked int64
}

var _ field.Source = (*hidden)(nil)

// String implements field.Source.
func (h *hidden) String(a field.Attr) (string, bool) {
	s, ok := h.Source.String(a)
	if ok && h.r.has(a.Name()) {
		s = h.text(s)
	}
	return s, ok
}

// Strings implements field.Source.
func (h *hidden) Strings(a field.Attr) ([]string, bool) {
	list, ok := h.Source.Strings(a)
	if ok && h.r.has(a.Name()) {
		list = h.args(list)
	}
	return list, ok
}

// Named implements field.Source.
func (h *hidden) Named(key string) (string, bool) {
	s, ok := h.Source.Named(key)
	if ok && h.r.has(key) {
		s = h.text(s)
	}
	return s, ok
}

// WithPrefix implements field.Source.
func (h *hidden) WithPrefix(prefix string, yield func(name, value string)) {
	h.Source.WithPrefix(prefix, func(name, value string) {
		if h.r.has(name) {
			value = h.text(value)
		}
		yield(name, value)
	})
}

// Ancestor implements field.Source.
func (h *hidden) Ancestor(n int, p *field.Process) bool {
	return h.Source.Ancestor(n, p) && h.process(p)
}

// Leader implements field.Source.
func (h *hidden) Leader(of field.Group, p *field.Process) bool {
	return h.Source.Leader(of, p) && h.process(p)
}

func (h *hidden) process(p *field.Process) bool {
	p.Args, p.Env, p.Command = h.args(p.Args), h.args(p.Env), h.text(p.Command)
	return true
}

func (h *hidden) args(list []string) []string {
	masked := redact.Args(list)
	if len(list) > 0 && &masked[0] != &list[0] {
		h.masked++
	}
	return masked
}

func (h *hidden) text(s string) string {
	masked := redact.Text(s)
	if masked != s {
		h.masked++
	}
	return masked
}
