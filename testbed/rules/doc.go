// Package rules proves detection rules on the real kernel: programs do what a
// rule describes, on the host and in containers, and the agent has to fire that
// rule. The sources of the programs are in actor.
package rules
