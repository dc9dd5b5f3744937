package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sightglass/sightglass/config"
	"github.com/sightglass/sightglass/internal/cli/explain"
)

// configuration is what the collector is to read, and the same for the
// explanation of its errors.
type configuration struct {
	uris      []string
	documents []explain.Document
	builtIn   bool
}

// builtIn is the configuration of "sightglass run".
func builtIn() configuration {
	return configuration{
		uris:      []string{"yaml:" + config.Local},
		documents: []explain.Document{explain.NewDocument("built-in configuration", []byte(config.Local))},
		builtIn:   true,
	}
}

// configurationOf is what --config flags name.
func configurationOf(uris []string) configuration {
	return configuration{uris: slices.Clone(uris), documents: explain.Load(uris)}
}

// set adds what --set flags change: a.b.c=value.
func (c *configuration) set(changes []string) error {
	for _, change := range changes {
		key, value, ok := strings.Cut(change, "=")
		if !ok {
			return fmt.Errorf("--set %s: want key=value, as in --set exporters.terminal.width=120", change)
		}
		yaml := strings.ReplaceAll(strings.TrimSpace(key), ".", "::") + ": " + strings.TrimSpace(value)
		c.uris = append(c.uris, "yaml:"+yaml)
		c.documents = append(c.documents, explain.NewDocument("--set "+change, []byte(yaml)))
	}
	return nil
}
