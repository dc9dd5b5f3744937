package redact

import (
	"bytes"
	"slices"
	"strings"
)

// maxSecretName bounds the names that are looked at; longer ones are no names.
const maxSecretName = 128

// strongWords make a name secret wherever they stand in it. Names are compared
// in lower case and without '-', '_' and '.'.
var strongWords = []string{
	"password", "passwd", "passphrase", "secret", "token", "credential", "apikey", "accesskey", "privatekey",
	"signingkey", "encryptionkey", "authkey", "accountkey", "authorization", "signature",
}

// weakWords are part of many harmless words, and count only when they stand
// alone: as the whole name, or between '-', '_', '.' and a change to capitals.
var weakWords = []string{
	"pass", "passin", "passout", "passcode", "pwd", "auth", "jwt", "cookie", "cookies", "session", "sid", "sig",
}

// weakEnds are weak words that are written together with what is before them.
var weakEnds = []string{"dbpass", "userpass", "rootpass", "adminpass", "mysqlpass", "pgpass", "sessid", "sessionid"}

// harmlessWords are compounds with a weak word that is about something else.
var harmlessWords = []string{
	"passthrough", "proxypass", "firstpass", "secondpass", "onepass", "twopass", "singlepass", "multipass",
	"noauth", "withauth", "requireauth", "enableauth", "disableauth", "skipauth", "newsession", "desktopsession",
}

// harmlessEnds tell that a value only says where the secret is, or how long it
// may live, or that a word is about something else.
var harmlessEnds = []string{
	"file", "path", "dir", "name", "env", "ttl", "type", "url", "uri", "endpoint", "audience", "issuer",
	"prompt", "stdin", "length", "hash", "count", "limit", "policy", "expiry", "expiration", "timeout",
	"sock", "socket", "mode", "method", "plugin", "module", "provider", "level", "version", "user", "host",
	"port", "realm", "proxy", "jar", "tokens", "algorithm", "format", "size",
}

// SecretName reports whether the value of a flag, variable, header, field or
// parameter of this name is a secret. It does not allocate.
func SecretName(name string) bool { return classOf(name) != plain }

// SecretParam is SecretName for the parameters of a URL's query, in which more
// is secret: the keys and codes of logins, and what identifies an account.
func SecretParam(name string) bool {
	for _, exact := range [...]string{"key", "code", "awsaccesskeyid"} {
		if strings.EqualFold(name, exact) {
			return true
		}
	}
	return SecretName(name)
}

// class tells how sure it is that a name is a secret's.
type class uint8

const (
	plain class = iota
	weak        // by a word that other names have too
	strong
)

func classOf(name string) class {
	if len(name) < len("sid") || len(name) > maxSecretName {
		return plain
	}
	var n foldedName
	n.fold(name)
	c := n.class()
	if c == plain {
		return plain
	}
	session := n.hasSuffix("sessionid") || n.hasSuffix("sessid") // is the secret itself
	if slices.ContainsFunc(harmlessEnds, n.hasSuffix) || n.hasSuffix("id") && !session && !n.hasSuffix("sid") {
		return plain
	}
	if c == weak && slices.ContainsFunc(harmlessWords, n.contains) {
		return plain
	}
	return c
}

// foldedName is a name in lower case without separators, and where the words
// in it begin.
type foldedName struct {
	text  [maxSecretName]byte
	start [maxSecretName + 1]bool
	size  int
}

func (n *foldedName) fold(name string) {
	border := true
	for i := range len(name) {
		c := name[i]
		if c == '-' || c == '_' || c == '.' {
			border = true
			continue
		}
		upper := c >= 'A' && c <= 'Z'
		if upper && i > 0 && name[i-1] >= 'a' && name[i-1] <= 'z' {
			border = true
		}
		if upper {
			c |= 0x20
		}
		n.text[n.size], n.start[n.size] = c, border
		n.size++
		border = false
	}
	n.start[n.size] = true
}

// class goes by the words alone.
func (n *foldedName) class() class {
	c := plain
	text := n.text[:n.size]
	for i := range text {
		for _, w := range wordsBy[text[i]] {
			if !bytes.HasPrefix(text[i:], []byte(w.text)) {
				continue
			}
			end := i + len(w.text)
			if w.text == "token" && bytes.HasPrefix(text[end:], []byte("i")) {
				continue // tokenize, tokenizer
			}
			if w.class == strong {
				return strong
			}
			if n.start[i] && n.start[end] || w.end && end == n.size {
				c = weak
			}
		}
	}
	return c
}

// secretWord is a word as names are searched for it.
type secretWord struct {
	text  string
	class class
	end   bool // also counts at the end of a name
}

// wordsBy has the words by their first byte.
var wordsBy = func() (out [256][]secretWord) {
	for _, w := range strongWords {
		out[w[0]] = append(out[w[0]], secretWord{text: w, class: strong})
	}
	for _, w := range weakWords {
		out[w[0]] = append(out[w[0]], secretWord{text: w, class: weak})
	}
	for _, w := range weakEnds {
		out[w[0]] = append(out[w[0]], secretWord{text: w, class: weak, end: true})
	}
	return out
}()

func (n *foldedName) contains(word string) bool {
	return bytes.Contains(n.text[:n.size], []byte(word))
}

func (n *foldedName) hasSuffix(word string) bool {
	return bytes.HasSuffix(n.text[:n.size], []byte(word))
}
