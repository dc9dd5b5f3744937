package main

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"net"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// conn is a connection that writes down when requests were sent and when their
// responses had arrived. The library sends each request with one call.
type conn struct {
	net.Conn
	record *record
	noAck  bool // nothing comes back for what is produced

	mu   sync.Mutex
	open map[uint32]int // places in record.Requests, by correlation id
	in   []byte         // of the response that is being read
}

func (r *record) dial(j *job) func(context.Context, string, string) (net.Conn, error) {
	var plain net.Dialer
	dial := plain.DialContext
	if j.TLS {
		dial = (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext //nolint:gosec // tests make their certificates up
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &conn{Conn: c, record: r, noAck: j.NoAck, open: map[uint32]int{}}, nil
	}
}

// Write implements net.Conn.
func (c *conn) Write(b []byte) (int, error) {
	key, correlation := int16(binary.BigEndian.Uint16(b[4:])), binary.BigEndian.Uint32(b[8:])
	const produce = 0
	records := 0
	if key == produce {
		records = produced(b[4:])
	}
	place := c.record.begin(key, records)
	if c.noAck && key == produce {
		n, err := c.Conn.Write(b)
		c.record.end(place)
		return n, err
	}
	c.mu.Lock()
	c.open[correlation] = place
	c.mu.Unlock()
	return c.Conn.Write(b)
}

// produced is how many records a request has, of those that are whole.
func produced(b []byte) (n int) {
	req := kmsg.NewPtrProduceRequest()
	req.Version = int16(binary.BigEndian.Uint16(b[2:]))
	client := int(binary.BigEndian.Uint16(b[8:]))
	body := b[10+client:]
	if req.IsFlexible() {
		body = body[1:] // no tags
	}
	if err := req.ReadFrom(body); err != nil {
		fail(err)
	}
	for _, topic := range req.Topics {
		for _, partition := range topic.Partitions {
			var batch kmsg.RecordBatch
			if batch.ReadFrom(partition.Records) == nil {
				n += int(batch.NumRecords)
			}
		}
	}
	return n
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in = append(c.in, b[:n]...)
	for len(c.in) >= 8 {
		size := 4 + int(binary.BigEndian.Uint32(c.in))
		if len(c.in) < size {
			break
		}
		correlation := binary.BigEndian.Uint32(c.in[4:])
		c.record.end(c.open[correlation])
		delete(c.open, correlation)
		c.in = c.in[size:]
	}
	return n, err
}
