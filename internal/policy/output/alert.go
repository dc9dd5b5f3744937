package output

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Alert is a detection as Falco's JSON has it.
type Alert struct {
	Hostname string
	Rule     string
	Priority string // Emergency, ..., Informational, Debug
	Source   string
	Tags     []string
	Time     time.Time
	Message  string // the output without time and priority
	// ISO8601 makes the text line begin with a date in UTC instead of the
	// local time of day, and names the time's field accordingly.
	ISO8601 bool
	// Fields are written with their types; an entry that is formatted is text.
	Fields []AlertField
}

// AlertField is one entry of output_fields.
type AlertField struct {
	Key  string
	JSON []byte
}

// Line is the alert as one line of text.
func (a *Alert) Line() string {
	layout := "15:04:05.000000000"
	t := a.Time
	if a.ISO8601 {
		layout, t = "2006-01-02T15:04:05.000000000-0700", t.UTC()
	}
	return t.Format(layout) + ": " + a.Priority + " " + a.Message
}

// AppendJSON appends the alert as one JSON object, keys in alphabetical order.
func (a *Alert) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"hostname":`...)
	dst = AppendQuoted(dst, a.Hostname)
	dst = append(dst, `,"output":`...)
	dst = AppendQuoted(dst, a.Line())
	dst = append(dst, `,"output_fields":`...)
	dst = a.appendFields(dst)
	dst = append(dst, `,"priority":`...)
	dst = AppendQuoted(dst, a.Priority)
	dst = append(dst, `,"rule":`...)
	dst = AppendQuoted(dst, a.Rule)
	dst = append(dst, `,"source":`...)
	dst = AppendQuoted(dst, a.Source)
	dst = append(dst, `,"tags":[`...)
	for i, tag := range slices.Sorted(slices.Values(a.Tags)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendQuoted(dst, tag)
	}
	dst = append(dst, `],"time":"`...)
	dst = a.Time.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000000000Z")
	return append(dst, `"}`...)
}

// appendFields adds the time to the fields and writes them in order, each key
// once.
func (a *Alert) appendFields(dst []byte) []byte {
	key := "evt.time"
	if a.ISO8601 {
		key = "evt.time.iso8601"
	}
	fields := append(slices.Clone(a.Fields), AlertField{key, strconv.AppendInt(nil, a.Time.UnixNano(), 10)})
	slices.SortStableFunc(fields, func(x, y AlertField) int { return strings.Compare(x.Key, y.Key) })
	fields = slices.CompactFunc(fields, func(x, y AlertField) bool { return x.Key == y.Key })
	dst = append(dst, '{')
	for i, f := range fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendQuoted(dst, f.Key)
		dst = append(dst, ':')
		dst = append(dst, f.JSON...)
	}
	return append(dst, '}')
}
