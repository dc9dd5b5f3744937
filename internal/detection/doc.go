// Package detection turns the match of a policy into a log record. It is what
// the security_policy processor and "sightglass policy replay" have in common.
package detection
