package container

import "strings"

// isID reports whether s is a full OCI container id: 64 lower-case hex digits.
func isID(s string) bool { return len(s) == idLen && isHex(s) }

func isHex(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}

// isUUID reports whether s has the form 8-4-4-4-12 in lower-case hex.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

// unitSuffixes end the names of systemd's units that have a cgroup.
var unitSuffixes = []string{".slice", ".service", ".scope", ".mount", ".swap", ".socket"}

// isPlainName reports whether s can be a name that a person gave: none of
// systemd's units, nor a file name of the kernel's own ("cgroup.procs").
func isPlainName(s string) bool {
	for _, suffix := range unitSuffixes {
		if strings.HasSuffix(s, suffix) {
			return false
		}
	}
	return s != "" && !strings.HasPrefix(s, "lxc.") && !strings.HasPrefix(s, "kubepods")
}

// unescapeUnit undoes systemd's \xNN in unit names ("a\x2db" is "a-b").
func unescapeUnit(s string) string {
	if !strings.Contains(s, `\x`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if i+3 < len(s) && s[i] == '\\' && s[i+1] == 'x' {
			hi, ok1 := hexDigit(s[i+2])
			lo, ok2 := hexDigit(s[i+3])
			if ok1 && ok2 {
				b.WriteByte(hi<<4 | lo)
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	default:
		return 0, false
	}
}
