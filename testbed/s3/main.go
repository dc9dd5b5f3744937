// Command s3 is a server of S3's protocol, gofakes3 in memory, and a client with
// Amazon's own library for Go: what tests of the request capture are made with. It
// is a module of its own, so that neither is a requirement of the product.
//
//	s3 serve             prints its address, and serves until its input ends
//	s3 client ADDR N     does N rounds and prints how often it did what, as a line of JSON
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "serve":
		serve()
	case len(os.Args) == 4 && os.Args[1] == "client":
		n, err := strconv.Atoi(os.Args[3])
		if err != nil {
			log.Fatal(err)
		}
		client(os.Args[2], n)
	default:
		log.Fatal("usage: s3 serve | s3 client ADDRESS N")
	}
}

func serve() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(l.Addr())
	server := &http.Server{Handler: gofakes3.New(s3mem.New()).Server(), ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// recorder counts what was done, by operation and bucket.
type recorder map[string]int

const bucket, key = "orders", "2026/first order.json"

// did counts an operation. Whether it has to fail is known.
func (r recorder) did(operation string, fails bool, err error) {
	if (err != nil) != fails {
		log.Fatal(operation, " ", err)
	}
	r[operation]++
}

func client(address string, n int) {
	ctx := context.Background()
	c := s3.New(s3.Options{
		BaseEndpoint: aws.String("http://" + address), UsePathStyle: true, Region: "us-east-1", RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("planted-secret", "planted-secret", ""),
	})
	r := recorder{}
	_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String(bucket)})
	r.did("CreateBucket", false, err)
	for i := range n {
		r.objects(ctx, c, i)
		r.parts(ctx, c)
	}
	_, err = c.ListBuckets(ctx, &s3.ListBucketsInput{})
	r.did("ListBuckets", false, err)
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		log.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// objects puts one of some length, and does with it what one does.
func (r recorder) objects(ctx context.Context, c *s3.Client, i int) {
	at := aws.String(key)
	_, err := c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: at, Body: bytes.NewReader(bytes.Repeat([]byte("planted-secret"), 1+i*i))})
	r.did("PutObject", false, err)
	got, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: at})
	if err == nil {
		_, err = io.Copy(io.Discard, got.Body)
		_ = got.Body.Close()
	}
	r.did("GetObject", false, err)
	_, err = c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("none")})
	r.did("GetObject", true, err)
	_, err = c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: at})
	r.did("HeadObject", false, err)
	_, err = c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String(bucket), Key: aws.String("copy"), CopySource: aws.String(bucket + "/2026/first%20order.json")})
	r.did("CopyObject", false, err)
	_, err = c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	r.did("ListObjectsV2", false, err)
	_, err = c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("copy")})
	r.did("DeleteObject", false, err)
}

// parts puts an object in parts.
func (r recorder) parts(ctx context.Context, c *s3.Client) {
	at := aws.String("parts")
	begun, err := c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: aws.String(bucket), Key: at})
	r.did("CreateMultipartUpload", false, err)
	var all []types.CompletedPart
	for i := range int32(2) {
		number := aws.Int32(i + 1)
		part, err := c.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: aws.String(bucket), Key: at, UploadId: begun.UploadId, PartNumber: number, Body: bytes.NewReader(make([]byte, 5<<20)),
		})
		r.did("UploadPart", false, err)
		all = append(all, types.CompletedPart{ETag: part.ETag, PartNumber: number})
	}
	_, err = c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: aws.String(bucket), Key: at, UploadId: begun.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: all},
	})
	r.did("CompleteMultipartUpload", false, err)
}
