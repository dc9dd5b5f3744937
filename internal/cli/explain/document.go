package explain

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Document is one part of the configuration.
type Document struct {
	Name string // as the user knows it: a path, "--set a=b"
	root *yaml.Node
	err  error
}

// NewDocument parses content.
func NewDocument(name string, content []byte) Document {
	d := Document{Name: name, root: &yaml.Node{}}
	if d.err = yaml.Unmarshal(content, d.root); d.err == nil {
		d.err = d.root.Decode(new(any)) // which minds keys that stand there twice
	}
	return d
}

// Load reads what a --config flag names, as far as it can be read again: a
// path with or without file:, yaml:TEXT, env:NAME. What cannot is left out.
func Load(uris []string) []Document {
	var documents []Document
	for _, uri := range uris {
		scheme, rest, ok := strings.Cut(uri, ":")
		switch {
		case ok && scheme == "yaml":
			documents = append(documents, NewDocument("the command line", []byte(rest)))
		case ok && scheme == "env":
			documents = append(documents, NewDocument("$"+rest, []byte(os.Getenv(rest))))
		default:
			path := strings.TrimPrefix(uri, "file:")
			if content, err := os.ReadFile(path); err == nil {
				documents = append(documents, NewDocument(path, content))
			}
		}
	}
	return documents
}

// brokenDocuments describes the documents that are no YAML.
func brokenDocuments(documents []Document) []string {
	var lines []string
	for _, d := range documents {
		if d.err == nil {
			continue
		}
		var several *yaml.TypeError
		if !errors.As(d.err, &several) {
			lines = append(lines, d.place(strings.TrimPrefix(d.err.Error(), "yaml: "), "not valid YAML: "))
			continue
		}
		for _, text := range several.Errors {
			lines = append(lines, d.place(text, ""))
		}
	}
	return lines
}

// yamlRemedies say what to do about the parser's complaints.
var yamlRemedies = []struct{ complaint, remedy string }{
	{"found character that cannot start any token", "indent by spaces, not by tabs, and quote what begins with @, ` or %"},
	{"mapping values are not allowed in this context", "the line begins further in or out than its block, or its text holds a colon and needs quotes"},
	{"already defined at line", "merge the two"},
}

// place puts the document and its line before a complaint of the YAML parser,
// "line 3: did not find expected key", and what to do about it behind.
func (d Document) place(text, prefix string) string {
	at := d.Name
	var line int
	if n, err := fmt.Sscanf(text, "line %d: ", &line); n == 1 && err == nil {
		_, text, _ = strings.Cut(text, ": ")
		at = fmt.Sprintf("%s:%d", d.Name, line)
	}
	for _, r := range yamlRemedies {
		if strings.Contains(text, r.complaint) {
			text += "; " + r.remedy
		}
	}
	return at + ": " + prefix + text
}

// errNoNode says that a document does not hold a path.
var errNoNode = errors.New("no such key")

// top is the outermost block.
func (d Document) top() *yaml.Node {
	if d.root.Kind == yaml.DocumentNode && len(d.root.Content) == 1 {
		return d.root.Content[0]
	}
	return d.root
}

// find returns the line of the key at the end of path.
func (d Document) find(path []string) (line int, err error) {
	node := d.top()
	line = node.Line
	for len(path) > 0 {
		key, value, used := child(node, path)
		if key == nil {
			return line, errNoNode
		}
		line, node, path = key.Line, value, path[used:]
	}
	return line, nil
}

// child returns the key of a mapping that path starts with, its value, and how
// many names of path it covers: one, unless it is written as a::b. Keys are
// compared without regard to case, as the collector does. Of a list, path starts
// with the index of an item, which is key and value.
func child(node *yaml.Node, path []string) (key, value *yaml.Node, used int) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind == yaml.SequenceNode {
		if i, err := strconv.Atoi(path[0]); err == nil && 0 <= i && i < len(node.Content) {
			return node.Content[i], node.Content[i], 1
		}
	}
	if node.Kind != yaml.MappingNode {
		return nil, nil, 0
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		names := strings.Split(node.Content[i].Value, "::")
		used := min(len(names), len(path))
		if slices.EqualFunc(names[:used], path[:used], strings.EqualFold) {
			return node.Content[i], node.Content[i+1], used
		}
	}
	return nil, nil, 0
}

// value returns what stands at path, nil where nothing does.
func (d Document) value(path []string) *yaml.Node {
	node := d.top()
	for node != nil && len(path) > 0 {
		_, value, used := child(node, path)
		node, path = value, path[used:]
	}
	return node
}

// text returns the scalar at path, empty where there is none.
func (d Document) text(path []string) string {
	if node := d.value(path); node != nil && node.Kind == yaml.ScalarNode {
		return node.Value
	}
	return ""
}

// list returns the texts of the list at path; one text is a list of one.
func (d Document) list(path ...string) (texts []string) {
	if text := d.text(path); text != "" {
		return []string{text}
	}
	if node := d.value(path); node != nil && node.Kind == yaml.SequenceNode {
		for _, item := range node.Content {
			texts = append(texts, item.Value)
		}
	}
	return texts
}

// locate finds the document that holds path and key, and the line there; else
// the one that holds most of path. Of several the last counts, which wins the
// merge. Without any it returns an empty name.
func locate(documents []Document, path []string, key string) (name string, line int) {
	full := path
	if key != "" {
		full = slices.Concat(path, []string{key})
	}
	for depth := len(full); depth > 0; depth-- {
		for _, d := range slices.Backward(documents) {
			if line, err := d.find(full[:depth]); err == nil {
				return d.Name, line
			}
		}
	}
	if len(documents) == 1 {
		return documents[0].Name, 0
	}
	return "", 0
}

// keys returns the keys of the mapping at path in all documents.
func keys(documents []Document, path ...string) []string {
	var out []string
	for _, d := range documents {
		node := d.value(path)
		if node == nil || node.Kind != yaml.MappingNode {
			continue
		}
		for i := 0; i < len(node.Content); i += 2 {
			out = append(out, node.Content[i].Value)
		}
	}
	return out
}
