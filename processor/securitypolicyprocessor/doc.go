//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package securitypolicyprocessor implements the security_policy processor: it
// evaluates policies in the Falco rules language over the activity records of
// the ebpf receiver, appends a detection for each match and lets the plain
// activity pass that its configuration keeps.
//
//	activity records -> evaluate -> detections
//	                             -> kept records -> redact -> next consumer
package securitypolicyprocessor
