package securitypolicyprocessor

import (
	"slices"

	"github.com/sightglass/sightglass/internal/detection"
	"github.com/sightglass/sightglass/internal/interest"
	"github.com/sightglass/sightglass/internal/policy"
	"github.com/sightglass/sightglass/internal/policy/field"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/internal/syscalls"
)

// wants is what the rules and the kept activity need to be captured.
func (p *policyProcessor) wants(set *policy.RuleSet) interest.Set {
	wanted := interest.Names(keptTypes(p.cfg.Keep)...)
	for _, name := range set.EventTypes() {
		wanted = wanted.With(name, set.Needs(name))
	}
	if set.Reads(field.AttrProcEnv) {
		wanted = wanted.WithEnvironment()
	}
	if set.Reads(field.AttrUserHome) || set.Reads(field.AttrUserShell) {
		wanted = wanted.WithAccounts()
	}
	if set.Reads(field.AttrProcCwd) {
		wanted = wanted.WithDirectories()
	}
	ofTheHost := []field.Attr{field.AttrContainerMounts, field.AttrContainerHostPID, field.AttrContainerHostNetwork, field.AttrContainerHostIPC}
	if slices.ContainsFunc(ofTheHost, set.Reads) {
		wanted = wanted.WithMounts()
	}
	return wanted
}

// keptTypes are the event types behind the kept activity. Sessions have none:
// they are told from execs, which are always captured.
func keptTypes(keep []string) []string {
	var types []string
	for _, name := range keep {
		switch name {
		case keepAll:
			types = append(otherTypes(nil), interest.ProcessExit, interest.FileModified)
		case schema.EventSyscall:
			types = append(types, otherTypes(typedCalls())...)
			types = append(types, activityTypes[schema.EventNetworkListen]...) // those that make no server
		default:
			types = append(types, activityTypes[name]...)
		}
	}
	return types
}

// activityTypes are the event types by the event name of their records, apart
// from sightglass.syscall, which is the name of all others.
var activityTypes = map[string][]string{
	schema.EventProcessExec:    {"execve", "execveat"},
	schema.EventProcessExit:    {interest.ProcessExit},
	schema.EventFileModified:   {interest.FileModified},
	schema.EventFileOpen:       {"open", "openat", "openat2", "creat", "open_by_handle_at"},
	schema.EventNetworkConnect: {"connect"},
	schema.EventNetworkAccept:  {"accept", "accept4"},
	schema.EventNetworkListen:  {"bind", "listen"},
	schema.EventFileChange: {
		"unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat",
		"mkdir", "mkdirat", "rmdir", "chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchown", "fchownat",
		"mknod", "mknodat", "truncate", "truncate64", "ftruncate", "ftruncate64",
	},
}

func typedCalls() []string {
	var calls []string
	for _, types := range activityTypes {
		calls = append(calls, types...)
	}
	return calls
}

// otherTypes are the system calls that are captured at all, without some and
// without those that only a rule gets that names them.
func otherTypes(without []string) []string {
	var types []string
	for i := range syscalls.Table {
		if s := &syscalls.Table[i]; !s.Often && !slices.Contains(without, s.Name) {
			types = append(types, s.Name)
		}
	}
	return types
}

// notCaptured are the event types that rules name and that no receiver of this
// version reports.
func notCaptured(set *policy.RuleSet) []string {
	var missing []string
	for _, r := range set.Rules() {
		if r.Enabled {
			missing = append(missing, detection.NotCaptured(r)...)
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}
