package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// env is a getenv of "A=1" pairs.
func env(pairs ...string) func(string) string {
	return func(name string) string {
		for _, pair := range pairs {
			if value, ok := strings.CutPrefix(pair, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

func TestOTLPEndpoints(t *testing.T) {
	for _, c := range []struct {
		endpoint, protocol, insecure string
		want                         otlpSettings
	}{
		{"", "", "", otlpSettings{}},
		{"http://backend:4318", "", "", otlpSettings{exporter: "otlp_http", protocol: "http/protobuf", endpoint: "http://backend:4318"}},
		{"https://backend/otlp", "http/json", "", otlpSettings{exporter: "otlp_http", protocol: "http/json", endpoint: "https://backend/otlp"}},
		{"backend:4318", "", "", otlpSettings{exporter: "otlp_http", protocol: "http/protobuf", endpoint: "http://backend:4318"}},
		{"http://localhost:4317", "", "", otlpSettings{exporter: "otlp_grpc", protocol: "grpc", endpoint: "localhost:4317", insecure: true}},
		{"https://backend:443/", "grpc", "true", otlpSettings{exporter: "otlp_grpc", protocol: "grpc", endpoint: "backend:443"}},
		{"backend", "grpc", "true", otlpSettings{exporter: "otlp_grpc", protocol: "grpc", endpoint: "backend:4317", insecure: true}},
		{"[::1]", "grpc", "", otlpSettings{exporter: "otlp_grpc", protocol: "grpc", endpoint: "[::1]:4317"}},
		{"backend:4317", "http/protobuf", "", otlpSettings{exporter: "otlp_http", protocol: "http/protobuf", endpoint: "http://backend:4317"}},
	} {
		got, err := otlpFromEnvironment(env("OTEL_EXPORTER_OTLP_ENDPOINT="+c.endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL="+c.protocol, "OTEL_EXPORTER_OTLP_INSECURE="+c.insecure))
		require.NoError(t, err, c.endpoint)
		if c.want.exporter != "" {
			c.want.headers = map[string]string{}
		}
		require.Equal(t, c.want, got, c.endpoint)
	}
}

func TestOTLPCredentials(t *testing.T) {
	for _, c := range []struct{ endpoint, headers, want, header string }{
		{"https://me:a%40secret@b:4318/v1@x", "", "https://b:4318/v1@x", "Basic bWU6YUBzZWNyZXQ="},
		{"me:secret@b:4317", "", "b:4317", "Basic bWU6c2VjcmV0"},
		{"https://me:secret@b:4318", "Authorization=Bearer%20x", "https://b:4318", "Bearer x"},
	} {
		got, err := otlpFromEnvironment(env(otlpPrefix+"ENDPOINT="+c.endpoint, otlpPrefix+"HEADERS="+c.headers))
		require.NoError(t, err)
		require.Equal(t, c.want, got.endpoint)
		require.Len(t, got.headers, 1)
		for _, header := range got.headers {
			require.Equal(t, c.header, header)
		}
	}
}

func TestOTLPErrors(t *testing.T) {
	for pair, want := range map[string]string{
		"ENDPOINT=ftp://x":      "want http://, https:// or host:port",
		"ENDPOINT=http:///v1":   "has no host",
		"PROTOCOL=thrift":       "want grpc, http/protobuf or http/json",
		"HEADERS=secret":        "want key=value",
		"HEADERS=key=secret%zz": "want key=value",
		"TIMEOUT=10s":           "want a number of milliseconds",

		"ENDPOINT=http://me:%zzsecret@b":  "a wrong percent escape",
		"ENDPOINT=ftp://me:secret@b:4318": "want http://, https:// or host:port",
	} {
		_, err := otlpFromEnvironment(env(otlpPrefix+pair, otlpPrefix+"ENDPOINT=http://localhost:4318"))
		require.ErrorContains(t, err, want, pair)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestOTLPVariables(t *testing.T) {
	o, err := otlpFromEnvironment(env(
		otlpPrefix+"ENDPOINT=https://b:4318", otlpPrefix+"PROTOCOL=http/json", otlpPrefix+"HEADERS= api-key = a%3Db%20$c,, x=y ",
		otlpPrefix+"COMPRESSION=none", otlpPrefix+"TIMEOUT=2500", otlpPrefix+"CERTIFICATE=/ca.pem"))
	require.NoError(t, err)
	values := map[string]string{}
	o.addTo(values)
	require.Equal(t, map[string]string{
		"SIGHTGLASS_OTLP_HTTP":        "https://b:4318",
		"SIGHTGLASS_OTLP_HEADERS":     `{"api-key":"a=b $$c","x":"y"}`,
		"SIGHTGLASS_OTLP_INSECURE":    "false",
		"SIGHTGLASS_OTLP_ENCODING":    "json",
		"SIGHTGLASS_OTLP_COMPRESSION": "none",
		"SIGHTGLASS_OTLP_TIMEOUT":     "2500ms",
		"SIGHTGLASS_OTLP_CERTIFICATE": "/ca.pem",
	}, values)

	values = map[string]string{}
	otlpSettings{exporter: "otlp_grpc", endpoint: "b:4317", insecure: true}.addTo(values)
	require.Equal(t, map[string]string{
		"SIGHTGLASS_OTLP_GRPC": "b:4317", "SIGHTGLASS_OTLP_HEADERS": "null", "SIGHTGLASS_OTLP_INSECURE": "true",
	}, values)
}

func TestInsecureByScheme(t *testing.T) {
	for _, tt := range []struct{ endpoint, insecure, want string }{
		{"http://backend:4317", "", "true"},
		{"http://backend:4317", "false", "false"},
		{"https://backend:4317", "", ""},
		{"backend:4317", "", ""},
		{"", "", ""},
	} {
		env := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": tt.endpoint, "OTEL_EXPORTER_OTLP_INSECURE": tt.insecure}
		require.NoError(t, insecureByScheme(
			func(name string) string { return env[name] },
			func(name, value string) error { env[name] = value; return nil }))
		require.Equal(t, tt.want, env["OTEL_EXPORTER_OTLP_INSECURE"], tt.endpoint)
	}
}
