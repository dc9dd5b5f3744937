package process

import (
	"bytes"
	"strings"
)

// agents are how programs are told to load OpenTelemetry's instrumentation:
// environment variables, and what their value contains.
var agents = []struct {
	variable string // with its "="
	contains string
}{
	{"JAVA_TOOL_OPTIONS=", "opentelemetry-javaagent"},
	{"JDK_JAVA_OPTIONS=", "opentelemetry-javaagent"},
	{"NODE_OPTIONS=", "@opentelemetry/"},
	{"PYTHONPATH=", "opentelemetry/instrumentation/auto_instrumentation"},
	{"OTEL_DOTNET_AUTO_HOME=", ""},
}

// agentArguments are parts of arguments that do the same.
var agentArguments = []string{"opentelemetry-javaagent", "opentelemetry-instrument", "@opentelemetry/"}

// maxAgentArguments is how many of the first arguments are looked at.
const maxAgentArguments = 32

// loadsSDK tells whether a program was started with an OpenTelemetry agent. It
// cannot see an SDK that is part of the program.
func loadsSDK(env []byte, args []string) bool {
	for i := range agents {
		if value, ok := variable(env, agents[i].variable); ok && bytes.Contains(value, []byte(agents[i].contains)) {
			return true
		}
	}
	for _, arg := range args[:min(len(args), maxAgentArguments)] {
		for _, part := range agentArguments {
			if strings.Contains(arg, part) {
				return true
			}
		}
	}
	return false
}
