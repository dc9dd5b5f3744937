package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Topics that the broker has.
const (
	topicOne  = "orders"   // of one partition
	topicMany = "payments" // of three
)

// brokerOptions are files: where what was said is written down, and what a broker
// shows and holds that encrypts. Empty: neither is done.
type brokerOptions struct{ said, cert, key string }

// broker serves until its input ends.
func broker(o *brokerOptions) {
	var r recorder
	opts := []kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(1, topicOne), kfake.SeedTopics(3, topicMany)}
	if o.said != "" {
		opts = append(opts, kfake.ListenFn(r.listen))
	}
	if o.cert != "" {
		pair, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			fail(err)
		}
		opts = append(opts, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}))
	}
	c, err := kfake.NewCluster(opts...)
	if err != nil {
		fail(err)
	}
	fmt.Fprintln(os.Stdout, c.ListenAddrs()[0])
	_, _ = io.Copy(io.Discard, os.Stdin)
	c.Close()
	if o.said != "" {
		if err := os.WriteFile(o.said, []byte(r.text.String()), 0o600); err != nil {
			fail(err)
		}
	}
}

// recorder writes down what is read and written, a line for each call: the
// number of the connection, the way, the length, and as much of the bytes as may
// ever be copied of their beginning and end. The tests of databases have the same
// format.
type recorder struct {
	mu    sync.Mutex
	conns int
	text  strings.Builder
}

func (r *recorder) listen(network, addr string) (net.Listener, error) {
	l, err := net.Listen(network, addr)
	return &recordingListener{l, r}, err
}

func (r *recorder) line(n int, way byte, b []byte) {
	const maxHead, maxTail = 4096, 8
	head := b[:min(len(b), maxHead)]
	tail := b[max(len(head), len(b)-maxTail):]
	r.mu.Lock()
	defer r.mu.Unlock()
	fmt.Fprintf(&r.text, "%d %c %d %q %q\n", n, way, len(b), head, tail)
}

type recordingListener struct {
	net.Listener
	recorder *recorder
}

// Accept implements net.Listener.
func (l *recordingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.recorder.mu.Lock()
	defer l.recorder.mu.Unlock()
	l.recorder.conns++
	return &recordingConn{c, l.recorder, l.recorder.conns}, nil
}

type recordingConn struct {
	net.Conn
	recorder *recorder
	n        int
}

// Read implements net.Conn.
func (c *recordingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.recorder.line(c.n, '>', b[:n])
	}
	return n, err
}

// Write implements net.Conn.
func (c *recordingConn) Write(b []byte) (int, error) {
	c.recorder.line(c.n, '<', b)
	return c.Conn.Write(b)
}
