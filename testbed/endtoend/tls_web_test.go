package endtoend

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sealedProxy has HAProxy answer by itself.
const sealedProxy = `
defaults
  mode http
  timeout connect 60s
  timeout client 60s
  timeout server 60s
frontend sealed
  bind 127.0.0.1:%s ssl crt /etc/cert.pem alpn h2,http/1.1
  http-request return status 200 content-type text/plain string hello if { path_beg /ok/ }
  http-request return status 404
`

// haproxyKind is asked by curl, which speaks both versions of HTTP.
func haproxyKind(t *testing.T) sealedKind {
	t.Helper()
	server, client := lookPath(t, "haproxy"), lookPath(t, "curl")
	return sealedKind{
		programs: []string{server, client},
		put: func(t *testing.T, root string) {
			t.Helper()
			require.NoError(t, os.Symlink("key.pem", filepath.Join(root, "etc/cert.pem.key"))) // where it looks for the key
		},
		serve: func(ports []string) string {
			return "printf '%s' '" + fmt.Sprintf(sealedProxy, ports[0]) + "' > /tmp/sealed.cfg; exec " + server + " -db -f /tmp/sealed.cfg"
		},
		ask: func(ports []string, word string) string {
			line := client
			for i, version := range []string{"--http1.1", "--http2"} {
				line += " -sk " + version + ` -w '%{url_effective} %{http_code}\n'`
				for _, path := range []string{"ok", "no", "ok"} {
					line += fmt.Sprintf(" -o /dev/null https://127.0.0.1:%s/%s/%s/%d", ports[0], path, word, i)
				}
				if i == 0 {
					line += " --next"
				}
			}
			return line
		},
		read: func(word, printed string) (all []string) {
			for line := range strings.SplitSeq(printed, "\n") {
				if _, path, ok := strings.Cut(strings.TrimPrefix(line, "https://"), "/"); ok && strings.Contains(line, word) {
					all = append(all, "/"+path)
				}
			}
			return all
		},
		upgraded: []string{"libssl.so"},
	}
}

// gnuTLSKind has programs of GnuTLS: its own server, which answers all that it is asked
// over one connection each, and wget.
func gnuTLSKind(t *testing.T) sealedKind {
	t.Helper()
	server, client := lookPath(t, "gnutls-serv"), lookPath(t, "wget")
	libraryOf(t, client, "libgnutls.so")
	return sealedKind{
		programs: []string{server, client},
		serve: func(ports []string) string {
			return "exec " + server + " -q --http -p " + ports[0] + " --x509certfile /etc/cert.pem --x509keyfile /etc/key.pem < /dev/null"
		},
		ask: func(ports []string, word string) string {
			line := client + " -nv --no-check-certificate --no-hsts --tries 1 -O /dev/null"
			for i := range 5 {
				line += fmt.Sprintf(" https://127.0.0.1:%s/ok/%s/%d", ports[0], word, i)
			}
			return line
		},
		read: func(word, printed string) (all []string) {
			for line := range strings.SplitSeq(printed, "\n") {
				_, url, _ := strings.Cut(line, "URL:https://")
				if _, path, ok := strings.Cut(url, "/"); ok && strings.Contains(line, word) {
					all = append(all, "/"+strings.Fields(path)[0]+" 200") // wget names what it got, and fails for all else
				}
			}
			return all
		},
		upgraded: []string{"libgnutls.so"},
	}
}
