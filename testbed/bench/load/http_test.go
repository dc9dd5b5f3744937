package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSteadyRequests(t *testing.T) {
	var served int
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		served++ // one connection: one request at a time
		_, _ = io.WriteString(w, "hello")
	}))
	defer srv.Close()
	h := httpLoad{addr: strings.TrimPrefix(srv.URL, "http://"), path: "/", rate: 1000, connections: 1}
	begin := time.Now()
	n, err := h.connection(0, begin, begin.Add(50*time.Millisecond))
	require.NoError(t, err)
	srv.Close() // waits for what is under way
	require.Equal(t, served, n)
	require.Equal(t, 51, n, "the first, and one for each millisecond, however late")
	_, err = h.connection(0, begin, begin)
	require.Error(t, err, "nobody is there")
}
