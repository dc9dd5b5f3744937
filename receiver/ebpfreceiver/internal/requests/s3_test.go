//go:build linux && (amd64 || arm64)

package requests_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/bpf"
)

// TestKernelS3 compares Amazon's library for Go and a server in Go that speaks
// S3's protocol.
func TestKernelS3(t *testing.T) {
	exe := tool(t, "s3")
	server := spawn(t, nil, exe, "serve")
	at := server.line(t)
	w := watch(t, bpf.Options{})
	w.tell()
	const n = 10
	client := spawn(t, nil, exe, "client", at, "10")
	want := map[string]int{
		"CreateBucket": 1, "PutObject": n, "GetObject": 2 * n, "HeadObject": n, "CopyObject": n, "ListObjectsV2": n, "DeleteObject": n,
		"CreateMultipartUpload": n, "UploadPart": 2 * n, "CompleteMultipartUpload": n, "ListBuckets": 1,
	}
	require.Equal(t, want, client.record(t))
	spans := map[string]int{}
	for operation, times := range want {
		if operation == "ListBuckets" {
			spans["S3."+operation] = times
		} else {
			spans["S3."+operation+" orders"] = times
		}
	}
	w.requireTold(t, at, spans)
	for _, role := range bothEnds {
		missing := 0
		for _, s := range w.at(port(at), role) {
			if s.Status == http.StatusNotFound {
				require.Equal(t, "S3.GetObject orders", s.Span)
				missing++
			}
		}
		require.Equal(t, n, missing)
	}
}
