// Package explain turns the errors that the collector has about its
// configuration into one line per problem: file, line, key, what is wrong, and
// what was probably meant.
//
//	error text -> problems (parse.go, start.go) -> places in the YAML (document.go)
//	                                            -> suggestions (suggest.go)
//	                                            -> variables (variables.go) -> Error
//
// It only reads texts and never decides whether a configuration is valid.
package explain
