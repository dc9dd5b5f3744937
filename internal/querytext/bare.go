package querytext

// uuidBytes is the length of a UUID as text, with a hyphen at each of the places
// in uuidHyphens.
const uuidBytes = 36

var uuidHyphens = [...]int{8, 13, 18, 23}

// bareValue returns the length of the UUID or ISO 8601 duration that text begins
// with, 0 when it begins with neither.
func bareValue(text string) int {
	switch c := text[0]; {
	case c == 'P' || c == 'p':
		return durationEnd(text)
	case isHex(c) && len(text) >= uuidBytes && isUUID(text[:uuidBytes]):
		return uuidBytes
	}
	return 0
}

func isUUID(text string) bool {
	next := 0
	for i := range len(text) {
		if next < len(uuidHyphens) && i == uuidHyphens[next] {
			if text[i] != '-' {
				return false
			}
			next++
		} else if !isHex(text[i]) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// durationEnd returns the length of a duration such as P1Y2M, PT5S or
// P0001-03-02T01:02:03, 0 when there is none: a P, and behind it nothing but
// numbers with units.
func durationEnd(text string) int {
	i, digits, units := 1, 0, 0
	for ; i < len(text); i++ {
		switch c := text[i] | 0x20; {
		case isDigit(text[i]):
			digits++
		case c == 't' || digits > 0 && (c == 'y' || c == 'm' || c == 'w' || c == 'd' || c == 'h' || c == 's'):
			units++
		case digits > 0 && (text[i] == '-' || text[i] == ':'):
			units++
		case isWord(text[i]):
			return 0
		default:
			if digits == 0 || units == 0 {
				return 0
			}
			return i
		}
	}
	if digits == 0 || units == 0 {
		return 0
	}
	return i
}
