// Package redact masks secrets in command lines before they leave the machine:
// values of flags and variables named like passwords, tokens, secrets or keys,
// the password in a URL, and the credentials of HTTP headers. It works on what
// a command line looks like, so it can both miss and overdo; it never changes
// anything but the masked values.
package redact

import (
	"slices"
	"strings"
)

// Mask stands where a secret was.
const Mask = "***"

// secretName is SecretName for flags and variables: PWD is the working
// directory there.
func secretName(name string) class {
	if trimmed := strings.Trim(name, "-_."); strings.EqualFold(trimmed, "pwd") || strings.EqualFold(trimmed, "oldpwd") {
		return plain
	}
	return classOf(name)
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
	var letters flagReader
	for i, a := range args {
		masked, ok := letters.next(a)
		switch {
		case i > 0 && secretFlag(args[i-1]) && isValue(a):
			set(i, Mask)
		case ok && masked != a:
			set(i, masked)
		case !ok:
			if masked := Text(a); masked != a {
				set(i, masked)
			}
		}
	}
	return out
}

// isValue reports whether what follows a flag that wants a secret is one, and
// not the next flag: "-abc" may be a password, "-v" and "--verbose" hardly.
func isValue(arg string) bool {
	if arg == "" || arg[0] != '-' {
		return arg != ""
	}
	return len(arg) > 2 && arg[1] != '-'
}

// secretFlag reports whether an argument is a flag whose value comes next.
func secretFlag(arg string) bool {
	name, ok := strings.CutPrefix(arg, "-")
	return ok && !strings.ContainsAny(name, "=: /") && secretName(name) != plain
}
