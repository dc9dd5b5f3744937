package endtoend

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"

	"github.com/stretchr/testify/require"
)

// turn is what a client sends, and what a server answers.
type turn struct{ ask, answer []byte }

// scripted plants secrets in the protocols of databases that no package has:
// this test is both ends.
func (s *stage) scripted(dir string) {
	for name, turns := range map[string][]turn{"cassandra": cqlTurns(), "neo4j": boltTurns()} {
		s.both(name, func(sealed bool) func(*item) bool { return system(name, sealed) }, func(sealed bool) { s.talk(dir, sealed, turns) })
	}
}

// talk has both ends say their turns over a connection.
func (s *stage) talk(dir string, sealed bool, turns []turn) {
	l, err := (&net.ListenConfig{}).Listen(s.t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(s.t, err)
	defer l.Close()
	dial := func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) }
	if sealed {
		cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
		require.NoError(s.t, err)
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}})
		dial = func() (net.Conn, error) {
			return tls.Dial("tcp", l.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		for _, t := range turns {
			if _, err := io.ReadFull(c, make([]byte, len(t.ask))); err != nil {
				return
			}
			if _, err := c.Write(t.answer); err != nil {
				return
			}
		}
		_, _ = c.Read(make([]byte, 1)) // until the client closes
	}()
	c, err := dial()
	require.NoError(s.t, err)
	for _, t := range turns {
		_, err := c.Write(t.ask)
		require.NoError(s.t, err)
		_, err = io.ReadFull(c, make([]byte, len(t.answer)))
		require.NoError(s.t, err)
	}
	require.NoError(s.t, c.Close())
	<-done
}

// cqlTurns are a login, a query with values bound to it, and one that fails.
func cqlTurns() []turn {
	short := func(s string) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...) }
	long := func(s string) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(s))), s...) }
	frame := func(version, opcode byte, body ...[]byte) []byte {
		b := bytes.Join(body, nil)
		return append(append([]byte{version, 0, 0, 1, opcode}, binary.BigEndian.AppendUint32(nil, uint32(len(b)))...), b...)
	}
	const request, response = 0x04, 0x84
	query := func(text string, values ...string) []byte {
		b := [][]byte{long(text), {0, 1, 0x01}, binary.BigEndian.AppendUint16(nil, uint16(len(values)))}
		for _, v := range values {
			b = append(b, long(v))
		}
		return frame(request, 0x07, b...)
	}
	done := frame(response, 0x08, []byte{0, 0, 0, 1})
	return []turn{
		{frame(request, 0x01, []byte{0, 1}, short("CQL_VERSION"), short("3.0.0")), frame(response, 0x03, short("PasswordAuthenticator"))},
		{frame(request, 0x0f, long("\x00user\x00"+secret("login"))), frame(response, 0x10, []byte{0xff, 0xff, 0xff, 0xff})},
		{query("INSERT INTO shop.cards (id, card) VALUES (?, ?)", "17", secret("parameter")), done},
		{query("SELECT card FROM shop.cards WHERE card = '" + secret("literal") + "' AND n = " + plantedNumber), done},
		{query("SELECT card FROM shop.none WHERE card = '" + secret("literal") + "'"), frame(response, 0x00, []byte{0, 0, 0x22, 0}, short("no "+secret("message")))},
	}
}

// boltTurns are a login, a query with parameters, its record, and one that fails.
func boltTurns() []turn {
	text := func(s string) []byte { return append([]byte{0xd0, byte(len(s))}, s...) }
	dictionary := func(pairs ...string) []byte {
		b := []byte{0xa0 | byte(len(pairs)/2)}
		for _, p := range pairs {
			b = append(b, text(p)...)
		}
		return b
	}
	message := func(tag byte, fields ...[]byte) []byte {
		b := append([]byte{0xb0 | byte(len(fields)), tag}, bytes.Join(fields, nil)...)
		return append(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...), 0, 0)
	}
	const hello, run, pull, reset, success, record, failure = 0x01, 0x10, 0x3f, 0x0f, 0x70, 0x71, 0x7f
	all := append(append([]byte{0xa1}, text("n")...), 0xff) // {"n": -1}
	fields := append(append([]byte{0xa1}, text("fields")...), append([]byte{0x91}, text("card")...)...)
	done := message(success, dictionary())
	query := func(answer []byte) turn {
		return turn{message(run, text("MATCH (c:Card {owner: '"+secret("literal")+"', n: "+plantedNumber+"}) WHERE c.card = $card RETURN c.card"),
			dictionary("card", secret("parameter")), dictionary()), answer}
	}
	return []turn{
		{append([]byte{0x60, 0x60, 0xb0, 0x17, 0, 0, 4, 4}, make([]byte, 12)...), []byte{0, 0, 4, 4}},
		{message(hello, dictionary("user_agent", "test/1", "scheme", "basic", "principal", "user", "credentials", secret("login"))), message(success, dictionary("server", "Neo4j/4.4.0"))},
		query(message(success, fields)),
		{message(pull, all), append(message(record, append([]byte{0x91}, text(secret("record"))...)), done...)},
		query(message(failure, dictionary("code", "Neo.ClientError.Statement.SyntaxError", "message", "no "+secret("message")))),
		{message(reset), done},
	}
}
