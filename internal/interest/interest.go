// Package interest tells the receiver what anybody in this program wants to
// see, so that everything else can stay in the kernel.
//
//	policy processors --Register, Update, Release--> Registry --Subscribe--> receiver
//
// Execs, forks and exits of processes are always captured, for the process
// table needs them; a Set speaks of the rest. When nobody has registered the
// receiver is on its own and shows the command history: DefaultKeep.
package interest

import (
	"maps"
	"slices"
	"sync"
)

// ProcessExit is what policies call the end of a process: a name of a Set that
// is no system call.
const ProcessExit = "procexit"

// FileModified is what policies call a change of a critical file that has been
// established: another such name.
const FileModified = "file_modified"

// Set is an immutable set of event types, by system call name as in the
// syscall table, each whole or by a Filter, and of facts that are captured on
// demand only. The zero value is empty. Unknown names do no harm.
type Set struct {
	names       map[string]*Filter // nil: every event of that type
	environment bool
	accounts    bool
	mounts      bool
	directories bool
}

// Names makes a Set.
func Names(names ...string) Set {
	s := Set{names: make(map[string]*Filter, len(names))}
	for _, n := range names {
		s.names[n] = nil
	}
	return s
}

// With is the set and, of the system call name, what f says. What is in the set
// already stays wanted.
func (s Set) With(name string, f *Filter) Set {
	if !f.Selective() {
		f = nil
	}
	return s.Union(Set{names: map[string]*Filter{name: f}})
}

// Whole is the set without its filters: all events of its types.
func (s Set) Whole() Set {
	out := Names(s.Sorted()...)
	out.environment, out.directories = s.environment, s.directories
	return out
}

// Without is the set without one of its types.
func (s Set) Without(name string) Set {
	s.names = maps.Clone(s.names)
	delete(s.names, name)
	return s
}

// Filter is what is wanted of the events of a type that is in the set; nil when
// all of them are.
func (s Set) Filter(name string) *Filter { return s.names[name] }

// WithEnvironment is the set, and the environments of processes at their exec.
// They are large and full of secrets, so they stay in the kernel otherwise.
func (s Set) WithEnvironment() Set {
	s.environment = true
	return s
}

// Environment reports whether environments are wanted.
func (s Set) Environment() bool { return s.environment }

// WithAccounts is the set, and the home directory and shell of the acting user
// in every record.
func (s Set) WithAccounts() Set {
	s.accounts = true
	return s
}

// Accounts reports whether homes and shells are wanted.
func (s Set) Accounts() bool { return s.accounts }

// WithMounts is the set, and what containers have of the host: its namespaces and
// what is mounted.
func (s Set) WithMounts() Set {
	s.mounts = true
	return s
}

// Mounts reports whether that is wanted.
func (s Set) Mounts() bool { return s.mounts }

// WithDirectories is the set, and the working directories of processes as they
// change.
func (s Set) WithDirectories() Set {
	s.directories = true
	return s
}

// Directories reports whether they are wanted.
func (s Set) Directories() bool { return s.directories }

// Has reports whether the set contains a name.
func (s Set) Has(name string) bool {
	_, ok := s.names[name]
	return ok
}

// Len is the number of names.
func (s Set) Len() int { return len(s.names) }

// Sorted lists the names in order.
func (s Set) Sorted() []string { return slices.Sorted(maps.Keys(s.names)) }

// Union is what either of both has.
func (s Set) Union(o Set) Set {
	out := Set{
		names:       make(map[string]*Filter, len(s.names)+len(o.names)),
		environment: s.environment || o.environment,
		accounts:    s.accounts || o.accounts,
		mounts:      s.mounts || o.mounts,
		directories: s.directories || o.directories,
	}
	maps.Copy(out.names, s.names)
	for name, f := range o.names {
		if mine, ok := out.names[name]; ok {
			f = either(mine, f)
		}
		out.names[name] = f
	}
	return out
}

func either(a, b *Filter) *Filter {
	if a == nil || b == nil {
		return nil
	}
	return a.Or(b)
}

// Equal reports whether both want the same.
func (s Set) Equal(o Set) bool {
	return s.environment == o.environment && s.accounts == o.accounts && s.mounts == o.mounts && s.directories == o.directories && maps.EqualFunc(s.names, o.names, func(a, b *Filter) bool {
		return a == b || a != nil && b != nil && a.equal(b)
	})
}

// DefaultKeep is what is shown when nobody has registered, beside the commands
// that run: sockets that begin to listen.
func DefaultKeep() Set { return Names("bind", "listen") }

// Wanted is what the registry says at one moment.
type Wanted struct {
	Set Set
	// Registered tells that somebody evaluates what the receiver emits: then
	// it also gets what the agent itself does, and shortens records by what
	// the process table of this program has.
	Registered bool
}

// Registry collects the wishes. Safe for concurrent use.
type Registry struct {
	mu          sync.Mutex
	handles     []*Handle
	subscribers []*subscriber
}

type subscriber struct{ changed func() }

var shared Registry

// Shared is the registry of this program.
func Shared() *Registry { return &shared }

// Handle is one registration.
type Handle struct {
	owner    string
	registry *Registry
	set      Set // guarded by registry.mu
	released bool
}

// Register adds the wishes of owner, whose name is for people only. Release the
// handle when they no longer hold.
func (r *Registry) Register(owner string, s Set) *Handle {
	h := &Handle{owner: owner, registry: r, set: s}
	r.mu.Lock()
	r.handles = append(r.handles, h)
	notify := slices.Clone(r.subscribers)
	r.mu.Unlock()
	call(notify)
	return h
}

// Update exchanges the wishes, for example after a reload of rules. It does
// nothing after Release.
func (h *Handle) Update(s Set) {
	r := h.registry
	r.mu.Lock()
	var notify []*subscriber
	if !h.released && !h.set.Equal(s) {
		h.set = s
		notify = slices.Clone(r.subscribers)
	}
	r.mu.Unlock()
	call(notify)
}

// Release withdraws the wishes. It may be called more than once.
func (h *Handle) Release() {
	r := h.registry
	r.mu.Lock()
	var notify []*subscriber
	if !h.released {
		h.released = true
		r.handles = slices.DeleteFunc(r.handles, func(o *Handle) bool { return o == h })
		notify = slices.Clone(r.subscribers)
	}
	r.mu.Unlock()
	call(notify)
}

// Wanted returns the union of all wishes, or DefaultKeep when there is none.
func (r *Registry) Wanted() Wanted {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.handles) == 0 {
		return Wanted{Set: DefaultKeep()}
	}
	w := Wanted{Registered: true}
	for _, h := range r.handles {
		w.Set = w.Set.Union(h.set)
	}
	return w
}

// Owners lists who has registered, in order of registration.
func (r *Registry) Owners() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]string, 0, len(r.handles))
	for _, h := range r.handles {
		out = append(out, h.owner)
	}
	return out
}

// Subscribe calls changed after each change, from the goroutine that made it;
// changed reads Wanted when it likes and must not block. The returned function
// ends it and may be called more than once.
func (r *Registry) Subscribe(changed func()) (end func()) {
	s := &subscriber{changed: changed}
	r.mu.Lock()
	r.subscribers = append(r.subscribers, s)
	r.mu.Unlock()
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.subscribers = slices.DeleteFunc(r.subscribers, func(o *subscriber) bool { return o == s })
	}
}

func call(subscribers []*subscriber) {
	for _, s := range subscribers {
		s.changed()
	}
}
