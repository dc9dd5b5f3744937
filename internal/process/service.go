package process

import (
	"bytes"
	"net/url"
	"strings"
)

// maxIdentity bounds each part of a service's identity, which programs choose
// freely.
const maxIdentity = 255

// ServiceOf reads the identity from an environment of NUL-terminated NAME=value
// strings. OTEL_SERVICE_NAME wins over OTEL_RESOURCE_ATTRIBUTES, as in every
// SDK.
func ServiceOf(env []byte) Service {
	var s Service
	if attrs, ok := variable(env, "OTEL_RESOURCE_ATTRIBUTES="); ok {
		s = serviceFromAttributes(attrs)
	}
	if name, ok := variable(env, "OTEL_SERVICE_NAME="); ok && len(name) > 0 {
		s.Name = bound(string(name))
	}
	return s
}

// serviceFromAttributes reads "key=value,key=value", values percent-encoded.
func serviceFromAttributes(attrs []byte) Service {
	var s Service
	for pair := range strings.SplitSeq(string(attrs), ",") {
		key, value, ok := strings.Cut(pair, "=")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		if plain, err := url.PathUnescape(value); err == nil {
			value = plain
		}
		switch strings.TrimSpace(key) {
		case "service.name":
			s.Name = bound(value)
		case "service.namespace":
			s.Namespace = bound(value)
		case "service.version":
			s.Version = bound(value)
		}
	}
	return s
}

// variable finds "NAME=" in an environment.
func variable(env []byte, name string) ([]byte, bool) {
	for len(env) > 0 {
		at := bytes.Index(env, []byte(name))
		if at < 0 {
			return nil, false
		}
		value := env[at+len(name):]
		if at == 0 || env[at-1] == 0 {
			if end := bytes.IndexByte(value, 0); end >= 0 {
				value = value[:end]
			}
			return value, true
		}
		env = value
	}
	return nil, false
}

// bound cuts a name and lets go of the text that it was cut from.
func bound(s string) string { return strings.Clone(s[:min(len(s), maxIdentity)]) }
