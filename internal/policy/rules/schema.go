package rules

import (
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// form is what a value of a rule file must look like, for the verdict about a
// file's schema. That is stricter than loading in some places (true, but not
// yes) and laxer in others (it does not ask which keys belong together).
type form func(n *yaml.Node, path string, tell func(msg string))

var itemForm = object(map[string]form{
	itemVersion:                isScalar,
	"required_plugin_versions": sequence(object(pluginKeys(), "name", "version")),
	"list":                     isScalar,
	"items":                    sequence(isScalar),
	"macro":                    isScalar,
	"rule":                     isScalar,
	"condition":                isScalar,
	"desc":                     isScalar,
	"output":                   isScalar,
	"priority":                 oneOf("INFO", upper(priorityNames[:])...),
	"source":                   isScalar,
	"tags":                     sequence(isScalar),
	"enabled":                  isTruth,
	"append":                   isTruth,
	"warn_evttypes":            isTruth,
	"skip-if-unknown-filter":   isTruth,
	"capture":                  isTruth,
	"capture_duration":         isInteger,
	"capture_events":           isInteger,
	"capture_filesize":         isInteger,
	"exceptions":               sequence(object(map[string]form{"name": isScalar, "fields": isAny, "comps": isAny, "values": isAny}, "name")),
	"override":                 object(overrideKeys()),
	"scope":                    isScalar,
	"reference":                isScalar,
	"remedy":                   isScalar,
})

func pluginKeys() map[string]form {
	plugin := map[string]form{"name": isScalar, "version": isScalar}
	return map[string]form{
		"name": isScalar, "version": isScalar, "alternatives": sequence(object(plugin, "name", "version")),
	}
}

func overrideKeys() map[string]form {
	out := map[string]form{}
	for _, key := range append([]string{"items", "capture_events", "capture_filesize"}, ruleReplaceable...) {
		out[key] = oneOf("append", "replace")
	}
	return out
}

func upper(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = strings.ToUpper(w)
	}
	return out
}

func isAny(*yaml.Node, string, func(string)) {}

func isScalar(n *yaml.Node, path string, tell func(string)) {
	if n.Kind != yaml.ScalarNode || isNull(n) {
		tell(path + " must be a single value")
	}
}

func isTruth(n *yaml.Node, path string, tell func(string)) {
	if n.Kind != yaml.ScalarNode || n.Value != "true" && n.Value != "false" {
		tell(path + " must be true or false")
	}
}

func isInteger(n *yaml.Node, path string, tell func(string)) {
	if _, err := strconv.ParseInt(n.Value, 10, 64); n.Kind != yaml.ScalarNode || err != nil {
		tell(path + " must be a whole number")
	}
}

func oneOf(word string, more ...string) form {
	words := append([]string{word}, more...)
	return func(n *yaml.Node, path string, tell func(string)) {
		if n.Kind != yaml.ScalarNode || !slices.Contains(words, n.Value) {
			tell(path + " must be one of " + strings.Join(words, ", "))
		}
	}
}

func sequence(of form) form {
	return func(n *yaml.Node, path string, tell func(string)) {
		if n.Kind != yaml.SequenceNode {
			tell(path + " must be a sequence")
			return
		}
		for i, it := range n.Content {
			of(deref(it), path+"/"+strconv.Itoa(i), tell)
		}
	}
}

func object(keys map[string]form, required ...string) form {
	return func(n *yaml.Node, path string, tell func(string)) {
		if n.Kind != yaml.MappingNode {
			tell(path + " must be a mapping")
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if of, ok := keys[key]; ok {
				of(deref(n.Content[i+1]), path+"/"+key, tell)
			} else {
				tell(path + " has the unknown key '" + key + "'")
			}
		}
		for _, key := range required {
			if (mapping{node: n}).get(key) == nil {
				tell(path + " has no key '" + key + "'")
			}
		}
	}
}

// maxSchema bounds what is told about the schema of a file.
const maxSchema = 100

// schema tells in which ways a document is not a sequence of items.
func (r *reader) schema(doc *yaml.Node) {
	if isNull(doc) {
		return
	}
	sequence(func(n *yaml.Node, path string, tell func(string)) {
		if !isNull(n) {
			itemForm(n, path, tell)
		}
	})(doc, "", func(msg string) {
		if len(r.res.schema) < maxSchema {
			r.res.schema = append(r.res.schema, strings.TrimSpace(msg))
		}
	})
}
