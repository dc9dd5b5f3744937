package explain

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"

	"github.com/sightglass/sightglass/internal/nearest"
)

// catalogue knows the names that could have been meant.
type catalogue struct {
	documents []Document
	factories otelcol.Factories
}

func newCatalogue(documents []Document, factories otelcol.Factories) catalogue {
	return catalogue{documents, factories}
}

// maxListed is how many names a remedy lists.
const maxListed = 12

// remedy says what to write instead, as far as that can be guessed.
func (c catalogue) remedy(p problem) string {
	if p.given == "" {
		return ""
	}
	known := p.known
	what := "known are "
	switch {
	case strings.HasPrefix(p.what, "references "):
		section := p.known[0]
		known = keys(c.documents, section)
		if section == "receivers" || section == "exporters" {
			known = append(known, keys(c.documents, "connectors")...)
		}
		what = "configured are "
	case known == nil:
		known = c.keysOf(p.path)
	}
	known = slices.Compact(slices.Sorted(slices.Values(known)))
	// More than a third of the letters were hardly typed by mistake.
	if near := nearest.Of(p.given, known, len(p.given)/3+1); near != "" {
		return `did you mean "` + near + `"?`
	}
	if len(known) == 0 || len(known) > maxListed {
		return ""
	}
	return what + strings.Join(known, ", ")
}

// keysOf returns the valid keys of the block at path.
func (c catalogue) keysOf(path []string) []string {
	switch {
	case len(path) == 0:
		return []string{"receivers", "processors", "exporters", "connectors", "extensions", "service"}
	case len(path) == 1 && path[0] == "service":
		return []string{"extensions", "pipelines", "telemetry"}
	case len(path) == 3 && path[0] == "service" && path[1] == "pipelines":
		return []string{"receivers", "processors", "exporters"}
	case len(path) < 2:
		return nil
	}
	config := c.defaultConfig(path[0], path[1])
	if config == nil {
		return nil
	}
	conf := confmap.New()
	if err := conf.Marshal(config); err != nil {
		return nil
	}
	block := any(conf.ToStringMap())
	for _, name := range path[2:] {
		m, _ := block.(map[string]any)
		block = m[name]
	}
	if m, _ := block.(map[string]any); len(m) > 0 {
		return slices.Sorted(maps.Keys(m))
	}
	return keysOfType(reflect.TypeOf(config), path[2:])
}

// defaultConfig returns the default configuration of a component, nil when
// there is none.
func (c catalogue) defaultConfig(section, id string) component.Config {
	name, _, _ := strings.Cut(id, "/")
	kind, err := component.NewType(name)
	if err != nil {
		return nil
	}
	switch section {
	case "receivers":
		return defaultOf(c.factories.Receivers, kind)
	case "processors":
		return defaultOf(c.factories.Processors, kind)
	case "exporters":
		return defaultOf(c.factories.Exporters, kind)
	case "connectors":
		return defaultOf(c.factories.Connectors, kind)
	case "extensions":
		return defaultOf(c.factories.Extensions, kind)
	}
	return nil
}

func defaultOf[F component.Factory](factories map[component.Type]F, kind component.Type) component.Config {
	if f, ok := factories[kind]; ok {
		return f.CreateDefaultConfig()
	}
	return nil
}
