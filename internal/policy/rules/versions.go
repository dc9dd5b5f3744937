package rules

import (
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// EngineVersion is the version of the rules language that is implemented, as
// Falco counts it.
const EngineVersion = "0.63.0"

type version struct{ major, minor, patch int }

// threeNumbers is what a version begins with. What stands behind does not matter.
var threeNumbers = regexp.MustCompile(`^\s*(\d+)\.(\d+)\.(\d+)`)

func parseVersion(s string) (v version, ok bool) {
	parts := threeNumbers.FindStringSubmatch(s)
	if parts == nil {
		return v, false
	}
	for i, dst := range []*int{&v.major, &v.minor, &v.patch} {
		n, err := strconv.ParseUint(parts[1+i], 10, 31)
		if err != nil {
			return v, false
		}
		*dst = int(n)
	}
	return v, true
}

func (v version) String() string {
	return strconv.Itoa(v.major) + "." + strconv.Itoa(v.minor) + "." + strconv.Itoa(v.patch)
}

// satisfies reports whether an engine of version v can load what asks for want.
func (v version) satisfies(want version) bool {
	if v.major != want.major {
		return false
	}
	if v.minor != want.minor {
		return v.minor > want.minor
	}
	return v.patch >= want.patch
}

// engineVersion reads required_engine_version: a number N means 0.N.0.
func (r *reader) engineVersion(m mapping) error {
	at := r.file.in(itemVersion, "", m.node)
	n, err := m.scalar(itemVersion, at)
	if err != nil {
		return err
	}
	want, ok := parseVersion(n.Value)
	if minor, err := parseUint(n.Value, 31); err == nil {
		want, ok = version{minor: int(minor)}, true
	}
	if !ok {
		return at.fail(ErrYAMLValidate, "'"+n.Value+"' is no version: use a number, or three with dots")
	}
	if engine, _ := parseVersion(EngineVersion); !engine.satisfies(want) {
		return at.fail(ErrValidate, "the rules ask for engine version "+want.String()+", this is "+engine.String())
	}
	return nil
}

// pluginVersions reads required_plugin_versions. What plugins add to Falco is
// built in here, so that only the form is checked.
func (r *reader) pluginVersions(m mapping) error {
	n := m.get("required_plugin_versions")
	at := r.file.in(itemPlugins, "", n)
	if n.Kind != yaml.SequenceNode {
		return at.fail(ErrYAMLValidate, "the value of 'required_plugin_versions' must be a sequence")
	}
	for _, it := range n.Content {
		if err := r.plugin(mapping{r.src, deref(it)}, at, itemPlugin, map[string]bool{}); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) plugin(m mapping, parent place, kind string, seen map[string]bool) error {
	at := parent.in(kind, "", m.node)
	if m.node.Kind != yaml.MappingNode {
		return at.fail(ErrYAMLValidate, "a plugin version must be a mapping")
	}
	name, err := m.text("name", at)
	if err != nil {
		return err
	}
	at = parent.in(kind, name, m.node)
	v, err := m.text("version", at)
	if err != nil {
		return err
	}
	if _, ok := parseVersion(v); !ok {
		return at.fail(ErrValidate, "'"+v+"' is no version: use three numbers with dots")
	}
	if seen[name] {
		return at.fail(ErrValidate, "the plugin '"+name+"' is required twice")
	}
	seen[name] = true
	alternatives := m.get("alternatives")
	if alternatives == nil || kind == itemPluginAlt {
		return nil
	}
	if alternatives.Kind != yaml.SequenceNode {
		return at.fail(ErrYAMLValidate, "the value of 'alternatives' must be a sequence")
	}
	for _, it := range alternatives.Content {
		if err := r.plugin(mapping{r.src, deref(it)}, at, itemPluginAlt, seen); err != nil {
			return err
		}
	}
	return nil
}
