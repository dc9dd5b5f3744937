package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// tlsTargets are servers whose plain text is seen by probes: a library that is
// shared, one that is part of a program which moves the cipher text itself, and
// Go's own.
var tlsTargets = []target{
	{"nginx, TLS, `return 200`", startNginxTLS, wrkTLS("/hello")},
	{"Node.js, TLS", startNodeTLS, wrkTLS("/hello")},
	{"Go, net/http, TLS", startGoTLS, wrkTLS("/hello")},
}

// wrkTLS is wrk over TLS. wrk is one of its library's users, too: what its own
// probes cost is not in the server's time.
func wrkTLS(path string) func(context.Context, *server, time.Duration) (int, error) {
	return wrkAt("https://", path)
}

// Names of the files that certify writes.
const (
	certificateFile = "cert.pem"
	keyFile         = "key.pem"
)

// certify writes a certificate that nobody trusts and its key into a directory.
func certify(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	write := func(name, kind string, der []byte) error {
		return os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
	}
	return errors.Join(write(certificateFile, "CERTIFICATE", certificate), write(keyFile, "PRIVATE KEY", secret))
}

func startNginxTLS(ctx context.Context, dir string) (*server, error) {
	if err := certify(dir); err != nil {
		return nil, err
	}
	return startNginxWith(ctx, dir, " ssl", "ssl_certificate "+certificateFile+"; ssl_certificate_key "+keyFile+";")
}

// nodeServer answers as the others do.
const nodeServer = `
const fs = require("fs"), [dir, port] = process.argv.slice(1);
require("https").createServer({ key: fs.readFileSync(dir + "/key.pem"), cert: fs.readFileSync(dir + "/cert.pem") },
	(q, s) => { s.writeHead(200, { "content-length": 6 }); s.end("hello\n"); }).listen(+port, "127.0.0.1");
`

func startNodeTLS(_ context.Context, dir string) (*server, error) {
	s, err := newServer(dir)
	if err != nil {
		return nil, err
	}
	if err := certify(dir); err != nil {
		return nil, err
	}
	return launch(s, "node", "-e", nodeServer, dir, strconv.Itoa(s.port))
}

// serveCommand is the first argument that makes this program a server.
const serveCommand = "serve-tls"

func startGoTLS(_ context.Context, dir string) (*server, error) {
	if err := certify(dir); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return startTLS(dir, self)
}

// startTLS starts a copy of this program as a server.
func startTLS(dir, path string) (*server, error) {
	s, err := newServer(dir)
	if err != nil {
		return nil, err
	}
	return launch(s, path, serveCommand, dir, s.addr())
}

// asking makes a connection for each request.
var asking = &http.Client{Transport: &http.Transport{
	DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // the certificate is made up
}}

// askOnce has a server answer.
func askOnce(ctx context.Context, s *server) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+s.addr()+"/hello", http.NoBody)
	if err != nil {
		return err
	}
	answer, err := asking.Do(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return errors.Join(err, answer.Body.Close())
}

// serveTLS is the server that startGoTLS starts.
func serveTLS(dir, addr string) error {
	s := &http.Server{Addr: addr, ReadHeaderTimeout: serverPatience, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello\n")
	})}
	return fmt.Errorf("serving: %w", s.ListenAndServeTLS(filepath.Join(dir, certificateFile), filepath.Join(dir, keyFile)))
}
