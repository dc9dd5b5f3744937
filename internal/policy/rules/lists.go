package rules

import "strings"

// expand replaces every list's name by its items, as text: lists one after the
// other in the order of their definition, each over the whole text. used marks
// the lists that were found.
func expand(t text, lists []*list) text {
	whole := t.String()
	for _, l := range lists {
		next, found := expandOne(t, whole, l)
		if found {
			t, whole = next, next.String()
			l.used = true
		}
	}
	return t
}

func expandOne(t text, whole string, l *list) (text, bool) {
	var out text
	done, found := 0, false
	for at := nextName(whole, l.Name, 0); at >= 0; at = nextName(whole, l.Name, at+1) {
		from, to := at, at+len(l.Name)
		if l.joined == "" {
			from, to = withComma(whole, from, to)
		}
		if from < done {
			continue
		}
		spot := t.cut(at, at+1)[0]
		out = out.plus(t.cut(done, from)...)
		out = out.plus(piece{s: l.joined, origin: spot.origin, from: spot.from, fixed: true})
		done, found = to, true
	}
	if !found {
		return t, false
	}
	return out.plus(t.cut(done, len(whole))...), true
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
		l.joined = strings.Join(items, ", ")
	}
}
