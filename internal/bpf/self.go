package bpf

import (
	"fmt"
	"os"
	"slices"
)

// maxSelf is how many thread groups the kernel side knows as the agent's own.
const maxSelf = 4

// learnSelf marks this process as the agent. Inside a pid name space its own
// id is not the host's; the iterator, which runs in whoever reads it, tells.
func (a *Agent) learnSelf() {
	tgid := uint32(os.Getpid())
	if a.Seed(func([]byte) {}) == nil {
		var seen uint32
		if a.coll.Variables["reader_tgid"].Get(&seen) == nil && seen != 0 {
			tgid = seen
		}
	}
	a.self = []uint32{tgid}
	_ = a.writeSelf()
}

// Self is this process's thread group id as the host sees it.
func (a *Agent) Self() uint32 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.self[0]
}

// SetSelf marks further thread groups (host view) as the agent's: what they do
// is left out of the requests and carries event.FlagSelf in the security class.
// This process is always marked.
func (a *Agent) SetSelf(tgids ...uint32) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(tgids) > maxSelf-1 {
		return fmt.Errorf("bpf: %d further processes of the agent, at most %d are known", len(tgids), maxSelf-1)
	}
	a.self = slices.Concat(a.self[:1], tgids)
	return a.writeSelf()
}

func (a *Agent) writeSelf() error {
	var s securitySettings
	copy(s.SelfTgid[:], a.self)
	if err := a.maps["settings"].Put(uint32(0), s); err != nil {
		return fmt.Errorf("bpf: marking the agent's own processes: %w", err)
	}
	return nil
}
