package redact

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
)

func TestArgs(t *testing.T) {
	for in, want := range map[string]string{
		"ls -la /tmp":                        "ls -la /tmp",
		"app --password hunter2 -v":          "app --password *** -v",
		"app --password=hunter2":             "app --password=***",
		"app --password -v":                  "app --password -v",
		"app --db-password=hunter2":          "app --db-password=***",
		"app -token abc":                     "app -token ***",
		"app --API_KEY=abc":                  "app --API_KEY=***",
		"app --api-key abc":                  "app --api-key ***",
		"app --token-file=/run/t":            "app --token-file=/run/t",
		"app --password-stdin x":             "app --password-stdin x",
		"app --key /etc/tls.key":             "app --key /etc/tls.key",
		"app --secret-name db":               "app --secret-name db",
		"env DB_PASSWORD=x PWD=/root sh":     "env DB_PASSWORD=*** PWD=/root sh",
		"mysql -uroot -phunter2 shop":        "mysql -uroot -p*** shop",
		"mysql -p shop":                      "mysql -p shop",
		"/usr/bin/mysqldump -px":             "/usr/bin/mysqldump -p***",
		"sshpass -p x ssh h":                 "sshpass -p *** ssh h",
		"sshpass -px ssh h":                  "sshpass -p*** ssh h",
		"redis-cli -h db -a x ping":          "redis-cli -h db -a *** ping",
		"curl -u bob:x http://h":             "curl -u bob:*** http://h",
		"curl --user bob http://h":           "curl --user bob http://h",
		"curl --user=bob:x http://h":         "curl --user=bob:*** http://h",
		"curl https://bob:x@h/p?a=1":         "curl https://bob:***@h/p?a=1",
		"psql postgres://bob:p@ss@h:5432/db": "psql postgres://bob:***@h:5432/db",
		"git clone https://x-token@h/r":      "git clone https://x-token@h/r",
		"curl http://h?token=abc&x=1":        "curl http://h?token=***&x=1",
		"docker run -p 80:80 img":            "docker run -p 80:80 img",
		"docker login -u bob -p x":           "docker login -u bob -p ***",
		"docker run -e API_TOKEN=x img":      "docker run -e API_TOKEN=*** img",
		"passwd root":                        "passwd root",
		"pwd":                                "pwd",
		"kubectl get secrets":                "kubectl get secrets",
		"vault token lookup":                 "vault token lookup",
		"ssh-keygen -t ed25519":              "ssh-keygen -t ed25519",
		"":                                   "",
	} {
		args := strings.Split(in, " ")
		require.Equal(t, want, strings.Join(Args(args), " "), in)
		require.Equal(t, in, strings.Join(args, " "), "the vector itself is never changed")
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"Authorization: Bearer abc.def": "Authorization: ***",
		"pid=1 sig=15(SIGTERM)":         "pid=1 sig=15(SIGTERM)",
		"sig=9":                         "sig=9",
		"?sig=90ab":                     "?sig=***",
		"authorization:Basic eDp5":      "authorization:***",
		"X-Api-Key: 123 456":            "X-Api-Key: ***",
		"Accept: text/html":             "Accept: text/html",
		`curl -H "Authorization: Bearer abc" http://h`: `curl -H "Authorization: ***" http://h`,
		`{"user":"bob","password":"a b"}`:              `{"user":"bob","password":"***"}`,
		`{"password": "x", "n": 1}`:                    `{"password": "***", "n": 1}`,
		"host=h password=x dbname=d":                   "host=h password=*** dbname=d",
		"mysql --password 'a b' shop":                  "mysql --password '***' shop",
		"tool --token abc; rm x":                       "tool --token ***; rm x",
		"export AWS_SECRET_ACCESS_KEY=abc && run":      "export AWS_SECRET_ACCESS_KEY=*** && run",
		"AWS_ACCESS_KEY_ID=AKIA run":                   "AWS_ACCESS_KEY_ID=AKIA run",
		"password=":                                    "password=",
		"password":                                     "password",
		"the password is long":                         "the password is long",
		"redis://:x@h":                                 "redis://:***@h",
		"http://h/a@b:c":                               "http://h/a@b:c",
		"http://user:@h":                               "http://user:@h",
		"://":                                          "://",
		"":                                             "",
	} {
		require.Equal(t, want, Text(in), in)
	}
}

func TestNothingToMaskDoesNotAllocate(t *testing.T) {
	args := []string{"/usr/bin/gcc", "-O2", "-c", "main.c", "-o", "main.o", "-DNAME=value", "--param=x"}
	require.Zero(t, alloctest.PerRun(100, func() { Args(args) }))
	require.Same(t, &args[0], &Args(args)[0])
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"--password x", "a://b:c@d", `"token": "x`, "Authorization: Bearer", "password=\"", "::://@:@"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Text(s)
		if s == "" {
			require.Empty(t, once)
		}
		if !strings.Contains(s, Mask) && once != s {
			require.Contains(t, once, Mask)
		}
		Args([]string{s, s})
		Args([]string{"mysql", s})
		Args([]string{"curl", s, s})
	})
}

func BenchmarkArgs(b *testing.B) {
	args := []string{"/usr/bin/java", "-Xmx4g", "-cp", "/opt/app/lib/a.jar:/opt/app/lib/b.jar", "com.example.Main", "--server.port=8080"}
	b.ReportAllocs()
	for b.Loop() {
		Args(args)
	}
}
