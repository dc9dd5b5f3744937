package process

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLoadsSDK(t *testing.T) {
	for _, tc := range []struct {
		name, env string
		args      []string
		want      bool
	}{
		{name: "nothing"},
		{name: "a name alone is no SDK", env: "OTEL_SERVICE_NAME=shop\x00", args: []string{"java", "-jar", "shop.jar"}},
		{name: "java by the environment", env: "A=b\x00JAVA_TOOL_OPTIONS=-Xmx1g -javaagent:/otel/opentelemetry-javaagent.jar\x00", want: true},
		{name: "java by an argument", args: []string{"java", "-javaagent:/otel/opentelemetry-javaagent.jar", "-jar", "a.jar"}, want: true},
		{name: "another agent of java", env: "JAVA_TOOL_OPTIONS=-javaagent:/jmx/exporter.jar\x00"},
		{name: "node", env: "NODE_OPTIONS=--require @opentelemetry/auto-instrumentations-node/register\x00", want: true},
		{name: "python", args: []string{"/usr/bin/python3", "/usr/local/bin/opentelemetry-instrument", "app.py"}, want: true},
		{name: "python under the operator", env: "PYTHONPATH=/otel/opentelemetry/instrumentation/auto_instrumentation:/app\x00", want: true},
		{name: ".NET", env: "OTEL_DOTNET_AUTO_HOME=/otel\x00", want: true},
		{name: "a name that ends like one", env: "XNODE_OPTIONS=@opentelemetry/\x00"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, loadsSDK([]byte(tc.env), tc.args))
		})
	}
}
