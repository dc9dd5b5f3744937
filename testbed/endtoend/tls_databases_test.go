package endtoend

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sqlStatements are asked one after the other, a line each; the word is a name. The fourth
// fails.
const sqlStatements = `CREATE TABLE %[1]s (n int);
INSERT INTO %[1]s VALUES (1);
SELECT * FROM %[1]s;
SELECT nope FROM %[1]s;
DROP TABLE %[1]s;
`

// sqlOutcomes is what the statements ask for, and the codes of the errors, by their lines.
func sqlOutcomes(codes map[int]string) (all []string) {
	for i, statement := range strings.Split(strings.TrimSpace(sqlStatements), "\n") {
		all = append(all, strings.Fields(statement)[0]+" "+codes[i])
	}
	return all
}

// feedSQL is a line of a shell that feeds the statements to a program, whatever comes of it.
func feedSQL(name, program string) string {
	return "printf '%s' '" + fmt.Sprintf(sqlStatements, name) + "' | " + program + " 2>&1 || true"
}

// ownMount shows a folder of this machine to a container.
func ownMount(dir string) []string {
	return []string{"--mount", "type=bind,src=" + dir + ",dst=" + dir + ",options=rbind:ro"}
}

// ordinaryUser is who runs what refuses to be run by root.
const ordinaryUser = 1000

// postgresKind makes its data in the container, when that starts. bin is the folder of its
// programs.
func postgresKind(bin string) sealedKind {
	as := fmt.Sprintf("setpriv --reuid %[1]d --regid %[1]d --clear-groups %[2]s/", ordinaryUser, bin)
	return sealedKind{
		programs: []string{bin + "/postgres", bin + "/initdb", bin + "/psql", "/usr/bin/setpriv"},
		flags:    slices.Concat(ownMount("/usr/share/postgresql"), ownMount(filepath.Join(filepath.Dir(bin), "lib"))),
		put: func(t *testing.T, root string) {
			t.Helper()
			require.NoError(t, os.WriteFile(filepath.Join(root, "etc/passwd"), []byte("root:x:0:0::/:/bin/sh\npostgres:x:1000:1000::/data:/bin/sh\n"), 0o644))
			require.NoError(t, os.Mkdir(filepath.Join(root, "data"), 0o755))
			for _, mine := range []string{"data", "etc/key.pem"} {
				require.NoError(t, os.Chown(filepath.Join(root, mine), ordinaryUser, ordinaryUser))
			}
		},
		serve: func(ports []string) string {
			return "[ -f /data/db/ready ] || { " + as + "initdb -D /data/db -A trust -U postgres --no-locale --no-sync && : > /data/db/ready; }; " +
				"exec " + as + "postgres -D /data/db -p " + ports[0] + " -k '' -h 127.0.0.1 -c timezone=GMT -c ssl=on -c ssl_cert_file=/etc/cert.pem -c ssl_key_file=/etc/key.pem"
		},
		ask: func(ports []string, word string) string {
			return feedSQL(`"`+word+`"`, bin+"/psql -X -At -v VERBOSITY=sqlstate 'host=127.0.0.1 port="+ports[0]+" user=postgres sslmode=require'")
		},
		read: func(_, printed string) []string {
			codes, answers := map[int]string{}, strings.Split(printed, "\n")
			for i := range answers {
				_, codes[i], _ = strings.Cut(answers[i], "ERROR:  ")
			}
			return sqlOutcomes(codes)
		},
		upgraded: []string{"libssl.so"},
	}
}

// mariaDBKind has a server that lets everybody in, which needs no data to begin with.
func mariaDBKind(t *testing.T) sealedKind {
	t.Helper()
	server, client := lookPath(t, "mariadbd"), lookPath(t, "mariadb")
	return sealedKind{
		programs: []string{server, client},
		flags:    ownMount("/usr/share/mysql"),
		put: func(t *testing.T, root string) {
			t.Helper()
			require.NoError(t, os.WriteFile(filepath.Join(root, "etc/passwd"), []byte("root:x:0:0::/:/bin/sh\n"), 0o644))
			require.NoError(t, os.Mkdir(filepath.Join(root, "data"), 0o755))
		},
		serve: func(ports []string) string {
			return "exec " + server + " --no-defaults --user=root --datadir=/data --port=" + ports[0] + " --bind-address=127.0.0.1 --socket=/tmp/socket" +
				" --skip-grant-tables --skip-name-resolve --innodb-use-native-aio=0 --innodb-buffer-pool-size=8M --ssl-cert=/etc/cert.pem --ssl-key=/etc/key.pem"
		},
		ask: func(ports []string, word string) string {
			program := client + " --no-defaults -h 127.0.0.1 -u root --ssl -f -B -P " + ports[0]
			name := "`" + word + "`"
			return program + " -e 'CREATE DATABASE IF NOT EXISTS shop' || true; " + feedSQL(name, program+" shop")
		},
		read: func(_, printed string) []string {
			codes := map[int]string{}
			for line := range strings.SplitSeq(printed, "\n") {
				var code string
				var state string
				var at int
				if n, _ := fmt.Sscanf(line, "ERROR %s %s at line %d", &code, &state, &at); n == 3 {
					codes[at-1] = code
				}
			}
			return sqlOutcomes(codes)
		},
		upgraded: []string{"libssl.so"},
	}
}
