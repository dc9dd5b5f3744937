package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// httpLoad makes requests on kept connections at a steady rate, whatever the
// server's speed is: what comes late is not left out.
type httpLoad struct {
	addr, path        string
	rate, connections int
}

// httpResult is the output.
type httpResult struct {
	Calls   int     `json:"calls"`
	Seconds float64 `json:"seconds"`
}

func (h *httpLoad) run(limit time.Duration) error {
	var (
		mu    sync.Mutex
		total int
		errs  []error
		wg    sync.WaitGroup
	)
	begin := time.Now()
	for i := range h.connections {
		wg.Go(func() {
			n, err := h.connection(i, begin, begin.Add(limit))
			mu.Lock()
			defer mu.Unlock()
			total += n
			errs = append(errs, err)
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(httpResult{Calls: total, Seconds: time.Since(begin).Seconds()})
}

// connection makes every h.connections'th request, from the i'th on. All
// responses are as long as the first.
func (h *httpLoad) connection(i int, begin, end time.Time) (n int, err error) {
	c, err := net.Dial("tcp", h.addr) //nolint:noctx // a process of its own
	if err != nil {
		return 0, err
	}
	defer c.Close()
	request := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", h.path)
	length, err := ask(c, request)
	if err != nil {
		return 0, err
	}
	response := make([]byte, length)
	every := time.Duration(h.connections) * time.Second / time.Duration(h.rate)
	next := begin.Add(time.Duration(i) * time.Second / time.Duration(h.rate))
	for n = 1; next.Before(end); n++ {
		time.Sleep(time.Until(next))
		next = next.Add(every)
		if _, err := c.Write(request); err != nil {
			return n, err
		}
		if _, err := io.ReadFull(c, response); err != nil {
			return n, err
		}
	}
	return n, nil
}

// counting counts what is read.
type counting struct {
	io.Reader
	n int
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n += n
	return n, err
}

// ask makes one request and returns the length of its response, head included.
func ask(c net.Conn, request []byte) (int, error) {
	if _, err := c.Write(request); err != nil {
		return 0, err
	}
	in := &counting{Reader: c}
	response, err := http.ReadResponse(bufio.NewReader(in), nil)
	if err != nil {
		return 0, err
	}
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		return 0, err
	}
	return in.n, response.Body.Close()
}
