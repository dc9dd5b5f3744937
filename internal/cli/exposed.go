package cli

import (
	"maps"
	"slices"
	"strings"
)

// exposed names the logs pipelines, in order, through which command lines leave
// with their secrets: those that lead from an ebpf receiver to an exporter past
// every security_policy processor, while another pipeline has one. The receiver
// leaves masking to the processor then; neither can see this from where it is.
func exposed(conf map[string]any) []string {
	p := pipelinesOf(conf)
	if !p.masking {
		return nil
	}
	found := map[string]bool{}
	for name, one := range p.logs {
		if slices.ContainsFunc(one.receivers, func(id string) bool { return typeOf(id) == "ebpf" }) {
			p.follow(name, map[string]bool{}, found)
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// pipeline is what a pipeline names.
type pipeline struct{ receivers, processors, exporters []string }

func (p *pipeline) masks() bool {
	return slices.ContainsFunc(p.processors, func(id string) bool { return typeOf(id) == "security_policy" })
}

type pipelines struct {
	logs       map[string]*pipeline
	connectors map[string]any
	masking    bool // one of them has a security_policy processor
}

func pipelinesOf(conf map[string]any) *pipelines {
	service, _ := conf["service"].(map[string]any)
	all, _ := service["pipelines"].(map[string]any)
	connectors, _ := conf["connectors"].(map[string]any)
	p := &pipelines{logs: map[string]*pipeline{}, connectors: connectors}
	for name, value := range all {
		keys, _ := value.(map[string]any)
		if typeOf(name) != "logs" {
			continue
		}
		one := &pipeline{idsOf(keys["receivers"]), idsOf(keys["processors"]), idsOf(keys["exporters"])}
		p.logs[name] = one
		p.masking = p.masking || one.masks()
	}
	return p
}

// follow goes from a pipeline through connectors to exporters.
func (p *pipelines) follow(name string, seen, found map[string]bool) {
	one := p.logs[name]
	if seen[name] || one.masks() {
		return
	}
	seen[name] = true
	for _, id := range one.exporters {
		if _, connects := p.connectors[id]; !connects {
			found[name] = true
			continue
		}
		for next, other := range p.logs {
			if slices.Contains(other.receivers, id) {
				p.follow(next, seen, found)
			}
		}
	}
}

// typeOf is the type in an id such as otlp_http/second.
func typeOf(id string) string {
	name, _, _ := strings.Cut(id, "/")
	return strings.TrimSpace(name)
}

func idsOf(list any) []string {
	items, _ := list.([]any)
	var ids []string
	for _, item := range items {
		if id, ok := item.(string); ok {
			ids = append(ids, id)
		}
	}
	return ids
}
