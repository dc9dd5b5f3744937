package rules

import "encoding/json"

type jsonPosition struct {
	Name   string `json:"name"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	Offset int    `json:"offset"`
}

type jsonLocation struct {
	ItemType string       `json:"item_type"`
	ItemName string       `json:"item_name"`
	Position jsonPosition `json:"position"`
}

type jsonContext struct {
	Locations []jsonLocation `json:"locations"`
	Snippet   string         `json:"snippet"`
}

type jsonIssue struct {
	Code        Code        `json:"code"`
	Description string      `json:"codedesc"`
	Message     string      `json:"message"`
	Context     jsonContext `json:"context"`
}

type jsonResult struct {
	Name           string      `json:"name"`
	Successful     bool        `json:"successful"`
	SchemaValid    bool        `json:"schema_valid"`
	SchemaWarnings []string    `json:"schema_warnings"`
	Errors         []jsonIssue `json:"errors"`
	Warnings       []jsonIssue `json:"warnings"`
}

// JSON is the results of several files in the form of Falco's validation.
func JSON(results []*Result) ([]byte, error) {
	out := struct {
		Results []jsonResult `json:"falco_load_results"`
	}{Results: []jsonResult{}}
	for _, r := range results {
		out.Results = append(out.Results, jsonResult{
			Name: r.Name, Successful: r.OK(), SchemaValid: len(r.schema) == 0, SchemaWarnings: append([]string{}, r.schema...),
			Errors: jsonIssues(r.Errors), Warnings: jsonIssues(r.Warnings),
		})
	}
	return json.Marshal(out)
}

func jsonIssues(issues []Issue) []jsonIssue {
	out := []jsonIssue{}
	for i := range issues {
		s := &issues[i]
		j := jsonIssue{Code: s.Code, Description: s.Code.Description(), Message: s.Message}
		j.Context.Snippet = s.Snippet
		j.Context.Locations = []jsonLocation{}
		for _, l := range s.Locations {
			j.Context.Locations = append(j.Context.Locations, jsonLocation{
				l.ItemType, l.ItemName, jsonPosition{l.File, l.Line, l.Column, l.Offset},
			})
		}
		out = append(out, j)
	}
	return out
}
