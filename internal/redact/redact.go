// Package redact masks secrets in command lines before they leave the machine:
// values of flags and variables named like passwords, tokens, secrets or keys,
// the password in a URL, and the credentials of HTTP headers. It works on what
// a command line looks like, so it can both miss and overdo; it never changes
// anything but the masked values.
package redact

import (
	"path"
	"slices"
	"strings"
)

// Mask stands where a secret was.
const Mask = "***"

// secretWords make a name secret wherever they stand in it.
var secretWords = []string{
	"password", "passwd", "passphrase", "pwd", "secret", "token", "credential",
	"apikey", "api-key", "api_key", "accesskey", "access-key", "access_key",
	"privatekey", "private-key", "private_key", "secretkey", "signing-key", "signing_key",
	"encryption-key", "encryption_key", "auth-key", "auth_key", "authkey",
	"account-key", "account_key", "accountkey", "authorization", "x-auth",
}

// harmlessEnds tell that a value only says where the secret is, or how long it
// may live, or that a word is about something else.
var harmlessEnds = []string{
	"file", "path", "dir", "name", "env", "id", "ttl", "type", "url", "uri", "endpoint", "audience", "issuer",
	"prompt", "stdin", "length", "hash", "count", "limit", "policy", "expiry", "expiration", "timeout",
}

// secretName reports whether what follows a name of a flag, variable, header or
// field is to be masked.
func secretName(name string) bool {
	name = strings.Trim(name, "-_.")
	if len(name) < len("pwd") || len(name) > 128 || strings.EqualFold(name, "pwd") || strings.EqualFold(name, "oldpwd") {
		return false // the working directory in environments
	}
	if !containsFold(name, secretWords) {
		return false
	}
	return !slices.ContainsFunc(harmlessEnds, func(end string) bool { return hasSuffixFold(name, end) })
}

// Args masks an argument vector. When there is nothing to mask it returns args
// itself and does not allocate; it never changes args.
func Args(args []string) []string {
	out := args
	set := func(i int, s string) {
		if len(out) > 0 && &out[0] == &args[0] {
			out = slices.Clone(args)
		}
		out[i] = s
	}
	letters := shortFlags(args)
	for i, a := range args {
		if i > 0 && secretFlag(args[i-1]) && !strings.HasPrefix(a, "-") && a != "" {
			set(i, Mask)
			continue
		}
		if masked, ok := letters.mask(args, i); ok {
			set(i, masked)
			continue
		}
		if masked := Text(a); masked != a {
			set(i, masked)
		}
	}
	return out
}

// secretFlag reports whether an argument is a flag whose value comes next.
func secretFlag(arg string) bool {
	name, ok := strings.CutPrefix(arg, "-")
	return ok && !strings.ContainsAny(name, "=: /") && secretName(name)
}

// flagLetter is a one-letter flag that carries a secret in some programs.
type flagLetter struct {
	programs []string
	flag     string
	glued    bool // only in the form -pVALUE: -p alone asks
	userinfo bool // the value is user:password
}

var flagLetters = []flagLetter{
	{programs: []string{"mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump", "mariadb-admin"}, flag: "-p", glued: true},
	{programs: []string{"sshpass"}, flag: "-p"},
	{programs: []string{"redis-cli", "valkey-cli"}, flag: "-a"},
	{programs: []string{"curl"}, flag: "-u", userinfo: true},
	{programs: []string{"curl"}, flag: "--user", userinfo: true},
	{programs: []string{"curl"}, flag: "--proxy-user", userinfo: true},
	{programs: []string{"docker", "podman", "helm"}, flag: "-p"},
	{programs: []string{"mongo", "mongosh", "mongodump"}, flag: "-p"},
}

type flagSet []flagLetter

func shortFlags(args []string) flagSet {
	if len(args) == 0 {
		return nil
	}
	program := path.Base(args[0])
	var out flagSet
	for _, f := range flagLetters {
		if !slices.Contains(f.programs, program) {
			continue
		}
		if f.flag == "-p" && slices.Contains([]string{"docker", "podman", "helm"}, program) && !slices.Contains(args, "login") {
			continue // a port
		}
		out = append(out, f)
	}
	return out
}

func (s flagSet) mask(args []string, i int) (string, bool) {
	for _, f := range s {
		if i > 0 && args[i-1] == f.flag && !f.glued {
			return f.hide(args[i]), true
		}
		value, ok := strings.CutPrefix(args[i], f.flag)
		if ok && value != "" && i > 0 && !strings.HasPrefix(f.flag, "--") {
			return f.flag + f.hide(value), true
		}
		if rest, ok := strings.CutPrefix(args[i], f.flag+"="); ok && strings.HasPrefix(f.flag, "--") {
			return f.flag + "=" + f.hide(rest), true
		}
	}
	return "", false
}

func (f flagLetter) hide(value string) string {
	if !f.userinfo {
		return Mask
	}
	if user, _, ok := strings.Cut(value, ":"); ok {
		return user + ":" + Mask
	}
	return value
}

func containsFold(s string, words []string) bool {
	for _, w := range words {
		for i := 0; i+len(w) <= len(s); i++ {
			if s[i]|0x20 == w[0] || s[i] == w[0] {
				if strings.EqualFold(s[i:i+len(w)], w) {
					return true
				}
			}
		}
	}
	return false
}

func hasSuffixFold(s, end string) bool {
	return len(s) >= len(end) && strings.EqualFold(s[len(s)-len(end):], end)
}
