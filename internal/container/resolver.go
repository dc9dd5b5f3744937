package container

import (
	"cmp"
	"container/list"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Options configure a Resolver.
type Options struct {
	// Root is where the host's file system is seen: "/" on the host itself,
	// "/host" or the like in a pod. Default "/".
	Root string
	// Proc is a proc file system that shows the host's pids. Default "/proc".
	Proc string
	// Keep is how long a removed cgroup stays resolvable. Default 5 minutes.
	Keep time.Duration
	// MaxEntries bounds the number of cgroups remembered. Default 16384.
	MaxEntries int
	// Now is the clock, for tests. Default time.Now.
	Now func() time.Time

	owner uint32 // trusted beside root; root itself but in tests
}

func (o *Options) setDefaults() {
	if o.Root == "" {
		o.Root = "/"
	}
	if o.Proc == "" {
		o.Proc = "/proc"
	}
	if o.Keep == 0 {
		o.Keep = 5 * time.Minute
	}
	if o.MaxEntries == 0 {
		o.MaxEntries = 16384
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

// retryAfter says how long to wait before the state files of a container that
// could not be named completely are read again; afterwards it is left alone.
var retryAfter = [...]time.Duration{
	50 * time.Millisecond, 250 * time.Millisecond, time.Second, 5 * time.Second, 30 * time.Second,
}

// Stats are counts since the Resolver was made, and its present size.
type Stats struct {
	Entries int
	Misses  uint64 // look-ups that found no path
	Evicted uint64 // live cgroups dropped because of MaxEntries
}

// Resolver maps cgroup ids to containers. Feed it the kernel's mkdir and rmdir
// events in their order: the path is then known before the first process runs
// in the cgroup. All methods may be called from several goroutines.
type Resolver struct {
	opts    Options
	trees   map[uint32]hierarchy
	mu      sync.Mutex
	entries map[CgroupID]*entry
	live    *list.List // of *entry, oldest first
	dead    *list.List // of *entry, first removed first
	bundles *bundleIndex

	// Apart from mu, which is held while files are read: whoever only asks for
	// numbers never waits for a slow disk.
	size            atomic.Int64
	misses, evicted atomic.Uint64
}

type entry struct {
	id      CgroupID
	info    *Info
	tries   int
	next    time.Time // of the next try
	expires time.Time // set when removed
	elem    *list.Element
}

// NewResolver returns a Resolver that knows nothing yet; it touches no file.
func NewResolver(opts Options) *Resolver {
	opts.setDefaults()
	return &Resolver{
		opts:    opts,
		entries: make(map[CgroupID]*entry),
		live:    list.New(),
		dead:    list.New(),
		bundles: newBundleIndex(opts.Root),
	}
}

// Seed learns the cgroups that exist by walking the mounted trees. Without
// Seed only events and /proc tell paths.
func (r *Resolver) Seed() {
	trees := hierarchies(r.opts.Root, r.opts.Proc)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.trees = make(map[uint32]hierarchy, len(trees))
	for _, h := range trees {
		r.trees[h.id] = h
		h.walk(func(id uint64, path string) bool {
			r.set(CgroupID{Hierarchy: h.id, ID: id}, path)
			return r.live.Len() < r.opts.MaxEntries
		})
	}
}

// Shim learns where a containerd keeps its state from one of its shims
// (processes named containerd-shim...): its working directory is the bundle of
// its first container, wherever containerd was told to keep it. The name alone
// is worth nothing. The process must be root's and in no container, and nobody
// but root may be able to write where it points to.
func (r *Resolver) Shim(pid uint32) {
	fd, err := unix.Open(filepath.Join(r.opts.Proc, strconv.FormatUint(uint64(pid), 10)), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer func() { _ = unix.Close(fd) }()
	process := descriptorPath(fd)
	claim, ok := readShim(process, r.opts.owner)
	if !ok || r.inContainer(claim.paths) {
		return
	}
	tasks, err := findTasks(r.opts.Root, process, claim.tasks, r.opts.owner)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bundles.add(tasks)
}

// inContainer reports whether one of the paths belongs to a container.
func (r *Resolver) inContainer(paths []string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(paths, func(path string) bool {
		info := r.resolve(path)
		return info.State == Container || info.Ref.PodUID != ""
	})
}

// Made tells that a cgroup was created. path is copied. Of the v1 hierarchies
// only the one that Seed found is of use.
func (r *Resolver) Made(id CgroupID, path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.trees[id.Hierarchy]; !ok && r.trees != nil && id.Hierarchy != 0 {
		return
	}
	r.set(id, strings.Clone(path))
}

// Removed tells that a cgroup is gone. It stays resolvable for Options.Keep.
func (r *Resolver) Removed(id CgroupID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.entries[id]
	if !ok || !e.expires.IsZero() {
		return
	}
	r.live.Remove(e.elem)
	e.expires = r.opts.Now().Add(r.opts.Keep)
	e.elem = r.dead.PushBack(e)
	r.expire()
}

// Lookup returns what is known about a cgroup; never nil. A process that is in
// it helps when no event told the path; 0 stands for none.
func (r *Resolver) Lookup(id CgroupID, pid uint32) *Info {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.entries[id]
	if !ok {
		e = r.add(id)
		e.info = unresolved
	}
	if !e.info.complete() || e.info.State == Unresolved || e.info.unproven() {
		r.retry(e, pid)
	}
	if e.info.State == Unresolved {
		r.misses.Add(1)
	}
	return e.info
}

// Stats returns the counters. It never waits.
func (r *Resolver) Stats() Stats {
	return Stats{Entries: int(r.size.Load()), Misses: r.misses.Load(), Evicted: r.evicted.Load()}
}

// unproven tells whether the path may turn out to be a container's, once the
// runtime's state is found.
func (i *Info) unproven() bool {
	return i.State == Host && i.Ref == (Ref{}) && i.Path != "/"
}

// retry tries again to find the path or the names, if it is time to.
func (r *Resolver) retry(e *entry, pid uint32) {
	now := r.opts.Now()
	resolved := e.info.State != Unresolved
	if now.Before(e.next) || resolved && e.tries >= len(retryAfter) {
		return
	}
	e.next = now.Add(retryAfter[min(e.tries, len(retryAfter)-1)])
	e.tries++
	if resolved {
		e.info = e.info.merge(r.resolve(e.info.Path))
		return
	}
	h, ok := r.trees[e.id.Hierarchy]
	if !ok {
		h = hierarchy{id: e.id.Hierarchy}
	}
	if path, ok := h.pathOf(r.opts.Proc, pid, e.id.ID); ok {
		e.info, e.tries = r.resolve(path), 0
	}
}

// set stores the path of a cgroup.
func (r *Resolver) set(id CgroupID, path string) {
	e, ok := r.entries[id]
	if !ok {
		e = r.add(id)
	}
	if !e.expires.IsZero() { // the number was given again
		r.dead.Remove(e.elem)
		e.expires, e.elem = time.Time{}, r.live.PushBack(e)
	}
	e.info = r.resolve(path)
	e.tries, e.next = 1, r.opts.Now().Add(retryAfter[0])
}

func (r *Resolver) add(id CgroupID) *entry {
	r.expire()
	e := &entry{id: id}
	e.elem = r.live.PushBack(e)
	r.entries[id] = e
	r.size.Store(int64(len(r.entries)))
	return e
}

// expire drops removed cgroups whose time is over, and makes room for one more.
func (r *Resolver) expire() {
	now := r.opts.Now()
	for el := r.dead.Front(); el != nil; el = r.dead.Front() {
		e := el.Value.(*entry)
		if now.Before(e.expires) && len(r.entries) < r.opts.MaxEntries {
			break
		}
		r.dead.Remove(el)
		delete(r.entries, e.id)
	}
	for len(r.entries) >= r.opts.MaxEntries {
		e := r.live.Remove(r.live.Front()).(*entry)
		delete(r.entries, e.id)
		r.evicted.Add(1)
	}
	r.size.Store(int64(len(r.entries)))
}

// resolve makes an Info from a path and the runtimes' state files.
func (r *Resolver) resolve(path string) *Info {
	ref := ParseCgroup(path)
	info := &Info{State: Host, Path: path, Ref: ref}
	var zero Ref
	switch {
	case path != "/" && (ref == zero || ref.Tentative):
		info.Ref = zero
		if b := r.freelyNamed(ref, path); b != nil {
			info.State = Container
			info.Ref = Ref{ContainerID: b.id, PodUID: b.podUID, Runtime: RuntimeContainerd, Namespace: b.namespace}
			info.Names = b.names
		}
	case ref.IsContainer():
		info.State = Container
		info.Names, info.Ref.Runtime = r.names(ref)
	case ref.PodUID != "":
		info.Names, _ = logNames(r.opts.Root, ref)
	}
	if info.State == Container && info.Names.Name == "" && len(info.Ref.ContainerID) != idLen {
		info.Names.Name = info.Ref.ContainerID
	}
	return info
}

// freelyNamed looks for proof that a path which looks like nothing special is
// that of a container.
func (r *Resolver) freelyNamed(ref Ref, path string) *bundle {
	if ref.Tentative {
		if b := r.bundles.find(ref.Namespace, ref.ContainerID); b != nil && (b.cgroup == "" || b.cgroup == path) {
			return b
		}
	}
	return r.bundles.findCgroup(path)
}

// names asks the state files of each runtime that may have made the container.
func (r *Resolver) names(ref Ref) (Names, Runtime) {
	switch ref.Runtime {
	case RuntimeLXC, RuntimeNspawn:
		return Names{Name: ref.ContainerID}, ref.Runtime
	case RuntimeContainerd, RuntimeCRIO, RuntimeDocker, RuntimePodman, "":
	}
	if n, ok := dockerNames(r.opts.Root, ref.ContainerID); ok {
		return n, RuntimeDocker
	}
	if b := r.bundles.find("", ref.ContainerID); b != nil && b.namespace != "moby" {
		if b.names.PodName == "" && ref.PodUID != "" {
			if n, ok := logNames(r.opts.Root, ref); ok {
				b.names.PodName, b.names.PodNamespace = n.PodName, n.PodNamespace
			}
		}
		return b.names, RuntimeContainerd
	}
	if n, by, ok := storageNames(r.opts.Root, ref.ContainerID); ok {
		return n, cmp.Or(by, ref.Runtime)
	}
	n, _ := logNames(r.opts.Root, ref)
	return n, ref.Runtime
}
