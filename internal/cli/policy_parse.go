package cli

import (
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/sightglass/sightglass/internal/policy"
)

func newPolicyParseCommand() *cobra.Command {
	return newLinesCommand("parse", "Parse conditions (JSON lines)",
		`Reads one JSON object per line from standard input and says whether the
condition in it parses:

  {"filter": "proc.name = cat"}

Each is answered by one line: {"ok": true, "ast": "..."} with the condition in
its plain form, or {"ok": false, "error": "...", "line": 1, "column": 7}.
Fields, types and macros are not looked at; "policy check" does that.`, parseLine)
}

func parseLine(line []byte) any {
	var question struct {
		Filter *string `json:"filter"`
	}
	if err := json.Unmarshal(line, &question); errors.As(err, new(*json.UnmarshalTypeError)) {
		return policy.ParseResult{Error: `not a JSON object with a text as "filter"`}
	} else if err != nil {
		return policy.ParseResult{Error: "not a JSON object: " + err.Error()}
	}
	if question.Filter == nil {
		return policy.ParseResult{Error: `the key "filter" is missing`}
	}
	return policy.ParseFilter(*question.Filter)
}
