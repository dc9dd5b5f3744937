package rules

import (
	"fmt"
	"strings"
)

// maxExpanded is how long a condition may become by its lists, in bytes: a few
// lines of lists of lists are beyond any memory.
const maxExpanded = 8 << 20

// maxPieces is of how many parts such a condition may consist: the names that
// were replaced, and what is between them.
const maxPieces = 200_000

// expand replaces every list's name by its items, as text: lists one after the
// other in the order of their definition, each over the whole text. used marks
// the lists that were found. The result is not whole when it gets too long.
func expand(t text, lists []*list) (text, error) {
	whole := t.String()
	for _, l := range lists {
		next, found := expandOne(t, whole, l)
		if found {
			t, whole = next, next.String()
			l.used = true
		}
		if len(whole) > maxExpanded || len(t.pieces) > maxPieces {
			return t, fmt.Errorf("the condition is too long with its lists: %d bytes when '%s' is in its place", len(whole), l.Name)
		}
	}
	return t, nil
}

func expandOne(t text, whole string, l *list) (text, bool) {
	var out []piece
	rest := cutter{pieces: t.pieces}
	done, length := 0, len(whole)
	for at := nextName(whole, l.Name, 0); at >= 0 && length <= maxExpanded && len(out) <= maxPieces; at = nextName(whole, l.Name, at+1) {
		from, to := at, at+len(l.Name)
		if l.joined == "" {
			from, to = withComma(whole, from, to)
		}
		if from < done {
			continue
		}
		out = rest.cut(out, done, from)
		var spot [1]piece
		rest.cut(spot[:0], at, at+1)
		out = append(out, piece{s: l.joined, origin: spot[0].origin, from: spot[0].from, fixed: true})
		done = to
		length += len(l.joined) - (to - from)
	}
	if len(out) == 0 {
		return t, false
	}
	return text{rest.cut(out, done, len(whole))}, true
}

const delimiters = " \t\n\r(),="

// nextName finds a list's name that stands on its own, at or behind start.
func nextName(s, name string, start int) int {
	if name == "" {
		return -1
	}
	for start <= len(s) {
		i := strings.Index(s[start:], name)
		if i < 0 {
			return -1
		}
		i += start
		end := i + len(name)
		if (i == 0 || strings.IndexByte(delimiters, s[i-1]) >= 0) &&
			(end == len(s) || strings.IndexByte(delimiters, s[end]) >= 0) {
			return i
		}
		start = i + 1
	}
	return -1
}

// withComma widens the place of an empty list by one neighbouring comma.
func withComma(s string, from, to int) (int, int) {
	left, right := from, to
	for left > 0 && isBlank(s[left-1]) {
		left--
	}
	for right < len(s) && isBlank(s[right]) {
		right++
	}
	switch {
	case left > 0 && s[left-1] == ',':
		return left - 1, to
	case right < len(s) && s[right] == ',':
		return from, right + 1
	default:
		return from, to
	}
}

// quoteItem puts an item that contains a blank into quotes, unless it has some.
func quoteItem(s string) string {
	if strings.Contains(s, " ") && s[0] != '"' && s[0] != '\'' {
		return `"` + s + `"`
	}
	return s
}

// joinLists computes the text that stands for each list. An item that names a
// list that is known by the end of this one's last definition is replaced by
// that list's own items, one level deep.
func joinLists(lists []*list) {
	byName := make(map[string]*list, len(lists))
	for _, l := range lists {
		byName[l.Name] = l
		l.used = false
	}
	for _, l := range lists {
		var items []string
		for _, it := range l.Items {
			ref := byName[it]
			if ref == nil || ref.index >= l.visibility {
				items = append(items, quoteItem(it))
				continue
			}
			ref.used = true
			for _, sub := range ref.Items {
				items = append(items, quoteItem(sub))
			}
		}
		for len(items) > 0 && items[0] == "" { // what is before the first comma
			items = items[1:]
		}
		l.joined = strings.Join(items, ", ")
	}
}
