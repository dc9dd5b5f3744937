package screen

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"
)

// priorities are the tags of detections, by the first letters of what the
// rules call their priority.
var priorities = []struct {
	prefix string
	tag    Tag
}{
	{"emerg", Tag{"EMERG", boldRed}},
	{"alert", Tag{"ALERT", boldRed}},
	{"crit", Tag{"CRITICAL", boldRed}},
	{"err", Tag{"ERROR", red}},
	{"warn", Tag{"WARNING", yellow}},
	{"notice", Tag{"NOTICE", cyan}},
	{"info", Tag{"INFO", plain}},
	{"debug", Tag{"DEBUG", dim}},
}

// TagOf is the tag of a detection: by the priority of its rule, in a record
// without one by its severity.
func TagOf(priority string, severity plog.SeverityNumber) Tag {
	priority = strings.ToLower(priority)
	for _, p := range priorities {
		if priority != "" && strings.HasPrefix(priority, p.prefix) {
			return p.tag
		}
	}
	switch {
	case severity >= plog.SeverityNumberFatal:
		return Tag{"CRITICAL", boldRed}
	case severity >= plog.SeverityNumberError:
		return Tag{"ERROR", red}
	case severity >= plog.SeverityNumberWarn:
		return Tag{"WARNING", yellow}
	case severity >= plog.SeverityNumberInfo2:
		return Tag{"NOTICE", cyan}
	case severity >= plog.SeverityNumberInfo:
		return Tag{"INFO", plain}
	case severity > plog.SeverityNumberUnspecified:
		return Tag{"DEBUG", dim}
	}
	return Tag{"MATCH", yellow}
}
