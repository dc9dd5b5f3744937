package cli

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// otlpSettings is a back end as the OTEL_EXPORTER_OTLP_ variables name it, in
// the form that the built-in configuration wants.
type otlpSettings struct {
	exporter    string // otlp_grpc or otlp_http; empty without an endpoint
	protocol    string // as in the variable
	endpoint    string
	insecure    bool // gRPC without TLS
	headers     map[string]string
	compression string
	timeout     string
	certificate string
}

// Values of OTEL_EXPORTER_OTLP_PROTOCOL.
const (
	protocolGRPC     = "grpc"
	protocolProtobuf = "http/protobuf"
	protocolJSON     = "http/json"
)

const otlpPrefix = "OTEL_EXPORTER_OTLP_"

// otlpFromEnvironment reads the variables of the OpenTelemetry specification.
// Where that leaves a choice, a port of 4317 means gRPC.
func otlpFromEnvironment(getenv func(string) string) (otlpSettings, error) {
	get := func(name string) string { return strings.TrimSpace(getenv(otlpPrefix + name)) }
	o := otlpSettings{endpoint: get("ENDPOINT"), protocol: get("PROTOCOL"), compression: get("COMPRESSION"), certificate: get("CERTIFICATE")}
	if o.endpoint == "" {
		return otlpSettings{}, nil
	}
	var err error
	if o.headers, err = parseHeaders(get("HEADERS")); err != nil {
		return otlpSettings{}, err
	}
	if err := o.takeCredentials(); err != nil {
		return otlpSettings{}, err
	}
	if err := o.setEndpoint(get("INSECURE")); err != nil {
		return otlpSettings{}, err
	}
	if text := get("TIMEOUT"); text != "" {
		ms, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return otlpSettings{}, fmt.Errorf("%sTIMEOUT=%s: want a number of milliseconds", otlpPrefix, text)
		}
		o.timeout = strconv.FormatUint(ms, 10) + "ms"
	}
	return o, nil
}

// insecureByScheme gives http:// in the variables the meaning of the specification:
// without TLS. Configurations take the endpoint and whether it is insecure each
// from its own variable. Who sets both means the second.
func insecureByScheme(getenv func(string) string, setenv func(name, value string) error) error {
	if getenv(otlpPrefix+"INSECURE") != "" || !strings.HasPrefix(getenv(otlpPrefix+"ENDPOINT"), "http://") {
		return nil
	}
	return setenv(otlpPrefix+"INSECURE", "true")
}

// takeCredentials moves a name and a password out of the endpoint, which is told
// to the user and by exporters' errors, into the header that they stand for.
func (o *otlpSettings) takeCredentials() error {
	scheme, rest, ok := strings.Cut(o.endpoint, "://")
	if !ok {
		scheme, rest = "", o.endpoint
	}
	host, _, _ := strings.Cut(rest, "/")
	at := strings.LastIndexByte(host, '@')
	if at < 0 {
		return nil
	}
	credentials, err := url.PathUnescape(host[:at])
	if err != nil {
		return errors.New(otlpPrefix + "ENDPOINT: the name or password in it has a wrong percent escape")
	}
	o.endpoint = rest[at+1:]
	if ok {
		o.endpoint = scheme + "://" + o.endpoint
	}
	for name := range o.headers {
		if strings.EqualFold(name, "authorization") {
			return nil // which is more explicit
		}
	}
	o.headers["authorization"] = "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))
	return nil
}

// setEndpoint finds out protocol, exporter and security.
func (o *otlpSettings) setEndpoint(insecure string) error {
	scheme, rest, hasScheme := strings.Cut(o.endpoint, "://")
	if !hasScheme {
		scheme, rest = "", o.endpoint
	}
	if hasScheme && scheme != "http" && scheme != "https" {
		return fmt.Errorf("%sENDPOINT=%s: want http://, https:// or host:port", otlpPrefix, o.endpoint)
	}
	host, _, _ := strings.Cut(rest, "/")
	_, port, err := net.SplitHostPort(host)
	if err != nil && host == "" {
		return fmt.Errorf("%sENDPOINT=%s: has no host", otlpPrefix, o.endpoint)
	}
	if o.protocol == "" {
		o.protocol = protocolProtobuf
		if port == "4317" {
			o.protocol = protocolGRPC
		}
	}
	switch o.protocol {
	case protocolGRPC:
		o.exporter, o.insecure = "otlp_grpc", scheme == "http" || scheme == "" && insecure == "true"
		if o.endpoint = host; port == "" {
			o.endpoint = net.JoinHostPort(strings.Trim(host, "[]"), "4317")
		}
	case protocolProtobuf, protocolJSON:
		o.exporter = "otlp_http"
		if !hasScheme {
			o.endpoint = "http://" + o.endpoint
		}
	default:
		return fmt.Errorf("%sPROTOCOL=%s: want %s, %s or %s", otlpPrefix, o.protocol, protocolGRPC, protocolProtobuf, protocolJSON)
	}
	return nil
}

// parseHeaders reads "key=value,key2=value2" with percent escapes in the
// values. Errors do not repeat the text, which holds secrets.
func parseHeaders(text string) (map[string]string, error) {
	headers := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		key, value, ok := strings.Cut(pair, "=")
		key = strings.TrimSpace(key)
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if !ok || key == "" || err != nil {
			return nil, errors.New(otlpPrefix + "HEADERS: want key=value,key2=value2 with percent escapes in the values")
		}
		headers[key] = decoded
	}
	return headers, nil
}

// addTo adds the variables of the built-in configuration. Texts go in as they
// are, because the collector takes them without their quotes; JSON is YAML, and
// $$ is how the collector writes a dollar sign.
func (o otlpSettings) addTo(values map[string]string) {
	headers, _ := json.Marshal(o.headers) // a map of strings always works
	endpoint := "HTTP"
	if o.exporter == "otlp_grpc" {
		endpoint = "GRPC"
	}
	for name, value := range map[string]string{
		endpoint:      o.endpoint,
		"HEADERS":     string(headers),
		"INSECURE":    strconv.FormatBool(o.insecure),
		"ENCODING":    o.encoding(),
		"COMPRESSION": o.compression,
		"TIMEOUT":     o.timeout,
		"CERTIFICATE": o.certificate,
	} {
		if value != "" {
			values["SIGHTGLASS_OTLP_"+name] = strings.ReplaceAll(value, "$", "$$")
		}
	}
}

func (o otlpSettings) encoding() string {
	if o.protocol == protocolJSON {
		return "json"
	}
	return ""
}
