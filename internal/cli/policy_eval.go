package cli

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/sightglass/sightglass/internal/policy"
)

type evalAnswer struct {
	Result *bool  `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

func newPolicyEvalCommand() *cobra.Command {
	return newLinesCommand("eval", "Evaluate conditions over given field values (JSON lines)",
		`Reads one JSON object per line from standard input: a condition, and what the
fields have as their values in one event. A field that is not given has no
value.

  {"filter": "proc.name = cat", "evt_name": "openat",
   "fields": {"proc.name": {"type": "CHARBUF", "value": "cat", "list": false}}}

(on one line). A condition that asks for the type of the event needs an evt_name
that exists. Types have Falco's names; "raw_hex" may give the bytes of a value
in hexadecimal, as a list of texts. Each line is answered by one line:
{"result": true}, {"result": false} or {"error": "..."}.`, evalLine)
}

func evalLine(line []byte) any {
	var question policy.EvalInput
	if err := json.Unmarshal(line, &question); err != nil {
		return evalAnswer{Error: "not the JSON of a question: " + err.Error()}
	}
	result, err := policy.EvalFilter(&question)
	if err != nil {
		return evalAnswer{Error: err.Error()}
	}
	return evalAnswer{Result: &result}
}
