package redact

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/alloctest"
)

func TestSecretName(t *testing.T) {
	for _, name := range []string{
		"password", "PASSWORD", "db_password", "dbPassword", "Passwd", "pass", "DB_PASS", "db.pass", "dbPass", "pwd", "MYSQL_PWD",
		"secret", "client_secret", "clientSecret", "token", "accessToken", "X-Auth-Token", "api_key", "API-KEY", "apiKey", "apikey",
		"aws_secret_access_key", "accessKey", "private-key", "credential", "X-Amz-Credential", "auth", "X-Auth", "basic-auth",
		"Authorization", "Proxy-Authorization", "jwt", "cookie", "Set-Cookie", "session", "session_id", "PHPSESSID", "sid",
		"sig", "signature", "X-Goog-Signature", "passin", "passout", "passphrase", "dbpass", "token_secret", "tokenizerSecret",
	} {
		require.True(t, SecretName(name), name)
	}
	for _, name := range []string{
		"", "x", "path", "PATH", "author", "authors", "authority", "XAUTHORITY", "keyboard", "key", "code", "tokenize", "tokenizer",
		"max_tokens", "max-tokens", "passive", "bypass", "compass", "pass-through", "proxy_pass", "two-pass", "password-file",
		"token_type", "AWS_ACCESS_KEY_ID", "SSH_AUTH_SOCK", "auth-method", "auth-type", "cookie-jar", "signal", "sign", "design",
		"sigfile", "sig-proxy", "session-type", "assign", "consider", "side", "inside", "no-auth", "monkey", "encode", "secret-name",
		strings.Repeat("password", 100),
	} {
		require.False(t, SecretName(name), name)
	}
	require.Zero(t, alloctest.PerRun(100, func() { SecretName("X-Session-Affinity-Cookie") }))
}

func TestSecretParam(t *testing.T) {
	for name, want := range map[string]bool{
		"key": true, "Code": true, "accessToken": true, "db_password": true, "AWSAccessKeyId": true, "sig": true, "id_token": true,
		"keyword": false, "postcode": false, "q": false, "page_token_type": false, "redirect_uri": false, "encoding": false,
	} {
		require.Equal(t, want, SecretParam(name), name)
	}
}

func TestSecretsOfCommands(t *testing.T) {
	for _, tt := range []struct{ args, want []string }{
		{[]string{"env", "DB_PASS=x"}, []string{"env", "DB_PASS=***"}},
		{[]string{"openssl", "rsa", "-passin", "pass:x"}, []string{"openssl", "rsa", "-passin", "***"}},
		{[]string{"app", "--pass", "x"}, []string{"app", "--pass", "***"}},
		{[]string{"curl", "-H", "Cookie: sid=x; a=b"}, []string{"curl", "-H", "Cookie: ***"}},
		{[]string{"curl", "-b", "sid=x"}, []string{"curl", "-b", "***"}},
		{[]string{"app", "--password", "-abc"}, []string{"app", "--password", "***"}},
		{[]string{"app", "--password", "-v", "--token", "--verbose"}, []string{"app", "--password", "-v", "--token", "--verbose"}},
		{[]string{"bash", "-c", "mysql -phunter2"}, []string{"bash", "-c", "mysql -p***"}},
		{[]string{"bash", "-lc", "cd /x && mysql -u root '-phunter2' shop | cat"}, []string{"bash", "-lc", "cd /x && mysql -u root '-p***' shop | cat"}},
		{[]string{"sh", "-c", "curl -u bob:pw http://h; redis-cli -a x ping"}, []string{"sh", "-c", "curl -u bob:*** http://h; redis-cli -a *** ping"}},
		{[]string{"sh", "-c", "x=$(/usr/bin/mysql -phunter2)"}, []string{"sh", "-c", "x=$(/usr/bin/mysql -p***)"}},
		{[]string{"sh", "-c", "bash -c \"mysql -phunter2\""}, []string{"sh", "-c", "bash -c \"mysql -p***\""}},
		{[]string{"sh", "-c", "openssl rsa -passin pass:x -in a"}, []string{"sh", "-c", "openssl rsa -passin *** -in a"}},
		{[]string{"sudo", "mysql", "-phunter2"}, []string{"sudo", "mysql", "-p***"}},
		{[]string{"docker", "exec", "db", "mysql", "-phunter2"}, []string{"docker", "exec", "db", "mysql", "-p***"}},
		{[]string{"docker", "login", "-u", "b", "-p", "x"}, []string{"docker", "login", "-u", "b", "-p", "***"}},
		{[]string{"run", "--session", "a", "auth: x", "pass:x"}, []string{"run", "--session", "***", "auth: ***", "pass:***"}},
	} {
		require.Equal(t, tt.want, Args(tt.args))
	}
}

// What is masked without need is lost to whoever looks into an incident.
func TestBenignCommandsStayAsTheyAre(t *testing.T) {
	for _, line := range []string{
		"git commit --author Bob -m x",
		"find / -path /x -name y",
		"setxkbmap --keyboard de",
		"pwd",
		"passwd root",
		"nlp --tokenize words --tokenizer bpe --max-tokens 100",
		"docker run -v /etc/passwd:/etc/passwd:ro -p 80:80 -p 443:443 registry/auth:1.2",
		"docker run auth:1.2",
		"curl http://auth:8080/token/x",
		"ssh -p 2222 mysql",
		"mysql -p shop",
		"mkdir -p /a/b",
		"cp -a x y",
		"apt-get install curl -u",
		"env SSH_AUTH_SOCK=/run/x PWD=/root OLDPWD=/ sh",
		"singularity exec --pwd /data image",
		"nginx -g proxy_pass=http://h",
		"gcc -fbypass=1 -DSIGNAL=2 --design=x",
		"kubectl get secrets -o name",
		"tar --no-auth x",
		"redis-cli -h redis -p 6379",
		"sh -c echo the password is long",
		"journalctl -u sshd",
	} {
		args := strings.Split(line, " ")
		require.Equal(t, args, Args(args))
		require.Equal(t, line, Text(line))
		script := []string{"sh", "-c", line}
		require.Equal(t, script, Args(script))
	}
}
