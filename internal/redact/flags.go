package redact

import (
	"slices"
	"strings"
)

// flagLetter is a flag that carries a secret in some programs, though its name
// does not say so.
type flagLetter struct {
	flag     string
	glued    bool   // only in the form -pVALUE: -p alone asks
	userinfo bool   // the value is user:password
	command  string // only after this word
}

var (
	mysqlFlags  = []flagLetter{{flag: "-p", glued: true}}
	loginFlags  = []flagLetter{{flag: "-p", command: "login"}}
	mongoFlags  = []flagLetter{{flag: "-p"}}
	redisFlags  = []flagLetter{{flag: "-a"}}
	flagLetters = map[string][]flagLetter{
		"mysql": mysqlFlags, "mysqldump": mysqlFlags, "mysqladmin": mysqlFlags,
		"mariadb": mysqlFlags, "mariadb-dump": mysqlFlags, "mariadb-admin": mysqlFlags,
		"sshpass":   {{flag: "-p"}},
		"redis-cli": redisFlags, "valkey-cli": redisFlags,
		"curl": {
			{flag: "-u", userinfo: true},
			{flag: "--user", userinfo: true},
			{flag: "--proxy-user", userinfo: true},
			{flag: "-b"},
		},
		"docker": loginFlags, "podman": loginFlags, "helm": loginFlags,
		"mongo": mongoFlags, "mongosh": mongoFlags, "mongodump": mongoFlags,
	}
)

// flagReader masks the values of such flags in the words of one command, given
// one after the other.
type flagReader struct {
	flags    []flagLetter // of the program that was named last
	commands [4]string    // the words behind it that are no flags
	n        int
	previous string
}

// next reads a word and returns it as it may be shown.
func (r *flagReader) next(word string) (string, bool) {
	masked, ok := r.mask(word)
	if flags, known := flagLetters[base(word)]; known && !ok && r.previous != "-h" {
		r.flags, r.n = flags, 0
	} else if r.flags != nil && r.n < len(r.commands) && word != "" && word[0] != '-' {
		r.commands[r.n] = word
		r.n++
	}
	r.previous = word
	return masked, ok
}

func (r *flagReader) mask(word string) (string, bool) {
	for i := range r.flags {
		f := &r.flags[i]
		if f.command != "" && !slices.Contains(r.commands[:r.n], f.command) {
			continue
		}
		if r.previous == f.flag && !f.glued {
			return f.hide(word), true
		}
		value, ok := strings.CutPrefix(word, f.flag)
		if !ok || value == "" {
			continue
		}
		if !strings.HasPrefix(f.flag, "--") {
			return f.flag + f.hide(value), true
		}
		if value, ok = strings.CutPrefix(value, "="); ok {
			return f.flag + "=" + f.hide(value), true
		}
	}
	return "", false
}

func (f *flagLetter) hide(value string) string {
	if !f.userinfo {
		return Mask
	}
	if user, _, ok := strings.Cut(value, ":"); ok {
		return user + ":" + Mask
	}
	return value
}

// base is the name of the program that a word of a script may call.
func base(word string) string {
	return word[strings.LastIndexAny(word, "/=(`")+1:]
}

// script masks the values of such flags in a text that is, or quotes, a
// command: the argument of sh -c. It returns s itself when there is none.
func script(s string) string {
	var out strings.Builder
	var r flagReader
	done := 0
	for i := 0; i < len(s); {
		if isBreak(s[i]) {
			if s[i] != ' ' && s[i] != '\t' {
				r = flagReader{} // another command
			}
			i++
			continue
		}
		from, to, next := scriptWord(s, i)
		if masked, ok := r.next(s[from:to]); ok && masked != s[from:to] {
			out.WriteString(s[done:from])
			out.WriteString(masked)
			done = to
		}
		i = next
	}
	if done == 0 {
		return s
	}
	out.WriteString(s[done:])
	return out.String()
}

// scriptWord finds the word that begins at i, without the quotes around it.
func scriptWord(s string, i int) (from, to, next int) {
	if q := s[i]; q == '"' || q == '\'' {
		if end := strings.IndexByte(s[i+1:], q); end >= 0 && !strings.ContainsAny(s[i+1:i+1+end], " ;|&\n") {
			return i + 1, i + 1 + end, i + 2 + end
		}
		return i + 1, i + 1, i + 1 // a text of several words: they follow
	}
	end := i
	for end < len(s) && !isBreak(s[end]) {
		end++
	}
	to = end
	for to > i && strings.IndexByte("\"'`)", s[to-1]) >= 0 {
		to--
	}
	return i, to, end
}

func isBreak(c byte) bool { return strings.IndexByte(" \t\n;|&", c) >= 0 }
