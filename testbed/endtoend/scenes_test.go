package endtoend

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/freeport"
	"github.com/sightglass/sightglass/internal/schema"
)

// open starts the servers and lists the scenes, those whose programs are there.
func (s *stage) open() {
	dir := s.t.TempDir()
	require.NoError(s.t, os.Chmod(dir, 0o755))
	run(s.t, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
		"-keyout", filepath.Join(dir, "key.pem"), "-out", filepath.Join(dir, "cert.pem"))
	s.commands()
	s.web(dir)
	s.postgres(dir)
	s.redis(dir)
	s.rabbit(dir)
	s.kafka(dir)
	s.mongo(dir)
	s.scripted(dir)
}

// has tells whether programs are there; without them a scene is left out.
func (s *stage) has(programs ...string) bool {
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			s.t.Logf("%s is not installed", p)
			return false
		}
	}
	return true
}

func (s *stage) add(name string, told func(*item) bool, play func()) {
	s.scenes = append(s.scenes, scene{name: name, play: play, told: told})
}

// both adds a scene in plain text and one over TLS.
func (s *stage) both(name string, told func(sealed bool) func(*item) bool, play func(sealed bool)) {
	s.add(name, told(false), func() { play(false) })
	s.add(name+" over TLS", told(true), func() { play(true) })
}

// write makes a file that programs read secrets from.
func (s *stage) write(path, text string) string {
	require.NoError(s.t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// serve starts a server that ends with the test, and waits until it listens at
// the address, if one is given.
func (s *stage) serve(as *syscall.SysProcAttr, address string, env []string, line ...string) {
	cmd := exec.CommandContext(context.WithoutCancel(s.t.Context()), line[0], line[1:]...)
	cmd.SysProcAttr, cmd.Env = as, append(os.Environ(), env...)
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	require.NoError(s.t, cmd.Start())
	s.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGQUIT)
		over := time.AfterFunc(time.Second, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
		_ = cmd.Wait()
		over.Stop()
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what a script has started, and that is deaf to the first
	})
	if address != "" {
		waitForListener(s.t, address)
	}
}

// home is a folder of a user that a server runs as.
func (s *stage) home(name, dir string) (home string, as *syscall.SysProcAttr) {
	u, err := user.Lookup(name)
	require.NoError(s.t, err)
	uid, err := strconv.Atoi(u.Uid)
	require.NoError(s.t, err)
	gid, err := strconv.Atoi(u.Gid)
	require.NoError(s.t, err)
	home, err = os.MkdirTemp("", name) // the path of a socket must be short
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = os.RemoveAll(home) })
	for _, file := range []string{"cert.pem", "key.pem"} {
		content, err := os.ReadFile(filepath.Join(dir, file))
		require.NoError(s.t, err)
		require.NoError(s.t, os.WriteFile(filepath.Join(home, file), content, 0o600))
		require.NoError(s.t, os.Chown(filepath.Join(home, file), uid, gid))
	}
	require.NoError(s.t, os.Chown(home, uid, gid))
	return home, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

// feed runs a program to its end; what it says of errors is of no interest.
func (s *stage) feed(input string, env []string, line ...string) {
	cmd := exec.CommandContext(s.t.Context(), line[0], line[1:]...)
	cmd.Stdin, cmd.Env = strings.NewReader(input), append(os.Environ(), env...)
	_ = cmd.Run()
}

// commands plants secrets in command lines, where their names tell them, and in
// the environment.
func (s *stage) commands() {
	word, at := marker(), secret("command")
	told := func(it *item) bool {
		return it.name == schema.EventProcessExec && mentions(it, schema.ProcessCommandArgs, word)
	}
	s.add("command lines", told, func() {
		s.feed("", []string{"DB_PASSWORD=" + secret("environment")}, "/bin/sh", "-c", "/bin/true "+word+" --password="+at+" && API_TOKEN="+at+" /bin/true")
		s.feed("", []string{"AWS_SECRET_ACCESS_KEY=" + secret("environment")}, "/bin/true", word, "--token", at, "--client-secret="+at,
			"postgres://user:"+at+"@localhost/shop", "-H", "Authorization: Bearer "+at)
	})
}

// webConfig is of a server that answers with secrets: its folder, and the ports
// for plain text and TLS.
const webConfig = `
daemon off; user root; worker_processes 1; pid %[1]s/web.pid; error_log %[1]s/web.log;
events {}
http {
  access_log off; default_type application/json;
  client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  server {
    listen %[2]s;
    listen %[3]s ssl http2;
    ssl_certificate %[1]s/cert.pem; ssl_certificate_key %[1]s/key.pem;
    add_header Set-Cookie "session=%[4]s" always;
    location / { return 200 '{"card": "%[4]s"}'; }
    location /songs { add_header X-Elastic-Product Elasticsearch; return 200 '{"hits": ["%[4]s"]}'; }
    location /fail { return 500 '{"why": "%[4]s"}'; }
  }
}
`

// web plants secrets in HTTP and what it carries.
func (s *stage) web(dir string) {
	if !s.has("nginx", "curl") {
		return
	}
	ports := map[bool]string{false: freeport.Address(s.t), true: freeport.Address(s.t)}
	config := s.write(filepath.Join(dir, "nginx.conf"), fmt.Sprintf(webConfig, dir, ports[false], ports[true], secret("response")))
	s.serve(nil, ports[false], nil, "nginx", "-e", filepath.Join(dir, "web.log"), "-c", config)
	ask := func(sealed bool, version, path, query, body string) {
		scheme := map[bool]string{false: "http", true: "https"}[sealed]
		text := fmt.Sprintf("url = \"%s://user:%s@%s%s?%s\"\ninsecure\nsilent\noutput = /dev/null\n%s\n", scheme, secret("userinfo"), ports[sealed], path, query, version)
		for _, h := range []string{"Authorization: Bearer ", "Proxy-Authorization: Basic ", "Cookie: session=", "X-Api-Key: ", "Referer: http://localhost/?token="} {
			text += "header = \"" + h + secret("header") + "\"\n"
		}
		if body != "" {
			text += "header = \"Content-Type: application/json\"\ndata = " + strconv.Quote(body) + "\n"
		}
		s.feed("", nil, "curl", "-K", s.write(filepath.Join(dir, "curlrc"), text))
	}
	query := "page=1"
	for _, name := range []string{"token", "password", "api_key", "client_secret", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Security-Token", "sig"} {
		query += "&" + name + "=" + secret("query")
	}
	version := map[bool]string{false: "http1.1", true: "http2"}
	of := func(path string) func(bool) func(*item) bool {
		return func(sealed bool) func(*item) bool {
			return func(it *item) bool {
				return it.attrs[schema.URLPath] == path && (it.attrs[schema.TLSProtocolName] != nil) == sealed
			}
		}
	}
	s.both("HTTP", of("/form"), func(sealed bool) {
		ask(sealed, version[sealed], "/form", query, `{"card": "`+secret("body")+`"}`)
		ask(sealed, "http1.1", "/fail", query, "")
	})
	s.both("Elasticsearch", func(sealed bool) func(*item) bool { return system("elasticsearch", sealed) }, func(sealed bool) {
		ask(sealed, version[sealed], "/songs/_search", "q="+secret("query"), `{"query": {"match": {"name": "`+secret("body")+`"}}}`)
	})
	s.both("GraphQL", of("/graphql"), func(sealed bool) {
		ask(sealed, version[sealed], "/graphql", "page=1",
			`{"query": "query Card { card(owner: \"`+secret("literal")+`\", n: `+plantedNumber+`) { id } }", "operationName": "Card", "variables": {"v": "`+secret("variable")+`"}}`)
	})
}

// planted are statements with secrets in all kinds of literals.
var planted = strings.NewReplacer("SECRET", secret("literal"), "NUMBER", plantedNumber).Replace(`
CREATE TABLE IF NOT EXISTS t (a varchar(100) PRIMARY KEY, n bigint);
INSERT INTO t VALUES ('SECRET', NUMBER);
INSERT INTO t VALUES ('SECRET', NUMBER);
SELECT a FROM t WHERE a = 'SECRET' AND n = NUMBER -- SECRET
;
SELECT a /* SECRET */ FROM t WHERE a IN ('x', 'it''s SECRET') OR n = -NUMBER.5;
PREPARE p AS SELECT a FROM t WHERE a = $1; EXECUTE p('SECRET');
SELECT $$SECRET$$, E'\'SECRET', $x$ SECRET $x$;
COPY t FROM STDIN;
SECRET-copied	1
\.
ALTER USER postgres PASSWORD 'SECRET';
`)

// postgres plants secrets in SQL, and in the login.
func (s *stage) postgres(dir string) {
	bins, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(bins) == 0 || !s.has("psql", "pgbench") {
		return
	}
	bin := filepath.Dir(bins[len(bins)-1])
	home, as := s.home("postgres", dir)
	login := secret("literal") // what planted sets it to
	initdb := exec.CommandContext(s.t.Context(), bin+"/initdb", "-D", home+"/data", "-A", "password", "-U", "postgres", "--no-sync",
		"--pwfile="+s.write(home+"/password", login+"\n"))
	initdb.SysProcAttr = as
	out, err := initdb.CombinedOutput()
	require.NoError(s.t, err, string(out))
	address := freeport.Address(s.t)
	_, port, _ := strings.Cut(address, ":")
	s.serve(as, address, nil, bin+"/postgres", "-D", home+"/data", "-p", port, "-k", home, "-h", "127.0.0.1", "-c", "log_min_messages=panic",
		"-c", "ssl=on", "-c", "ssl_cert_file="+home+"/cert.pem", "-c", "ssl_key_file="+home+"/key.pem")
	script := s.write(filepath.Join(dir, "bench.sql"), "\\set n "+plantedNumber+"\nSELECT a FROM t WHERE n = :n;\n")
	s.both("PostgreSQL", func(sealed bool) func(*item) bool { return system("postgresql", sealed) }, func(sealed bool) {
		env := []string{"PGPASSWORD=" + login, "PGSSLMODE=" + map[bool]string{false: "disable", true: "require"}[sealed]}
		flags := []string{"-h", "127.0.0.1", "-p", port, "-U", "postgres", "-d", "postgres"}
		s.feed(planted, env, append([]string{"psql", "-q"}, flags...)...)
		for _, mode := range []string{"extended", "prepared"} {
			s.feed("", env, append([]string{"pgbench", "-n", "-M", mode, "-t", "5", "-f", script}, flags...)...)
		}
	})
}

// redis plants secrets in values and logins. Keys are told: the conventions have
// them in the text of a command.
func (s *stage) redis(dir string) {
	if !s.has("redis-server", "redis-cli") {
		return
	}
	plain, sealed := freeport.Address(s.t), freeport.Address(s.t)
	port := func(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }
	s.serve(nil, plain, nil, "redis-server", "--save", "", "--dir", dir, "--logfile", "redis.log", "--port", port(plain), "--tls-port", port(sealed),
		"--tls-cert-file", filepath.Join(dir, "cert.pem"), "--tls-key-file", filepath.Join(dir, "key.pem"), "--tls-auth-clients", "no")
	text := strings.ReplaceAll("AUTH SECRET\nHELLO 3 AUTH default SECRET\nSET session SECRET\nGET session\nHSET h SECRET SECRET\nLPUSH h SECRET\nEVAL \"return 'SECRET'\" 0\n"+
		"MSET a SECRET b SECRET\nPUBLISH news SECRET\n", "SECRET", secret("value"))
	s.both("Redis", func(sealed bool) func(*item) bool { return system("redis", sealed) }, func(tls bool) {
		if tls {
			s.feed(text, nil, "redis-cli", "-p", port(sealed), "--tls", "--insecure")
		} else {
			s.feed(text, nil, "redis-cli", "-p", port(plain))
		}
	})
}
