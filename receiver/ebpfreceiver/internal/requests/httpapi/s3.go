package httpapi

import "bytes"

// s3Rule names an operation on an object, a bucket or the whole service.
type s3Rule struct {
	method    string
	parameter string // that the query has; "": any query
	copies    bool   // a header names a source
	name      string
}

// The operations of S3. The first row that matches counts.
var (
	s3Object = []s3Rule{
		{"GET", "uploadId", false, "ListParts"},
		{"GET", "tagging", false, "GetObjectTagging"},
		{"GET", "acl", false, "GetObjectAcl"},
		{"GET", "attributes", false, "GetObjectAttributes"},
		{"GET", "retention", false, "GetObjectRetention"},
		{"GET", "legal-hold", false, "GetObjectLegalHold"},
		{"GET", "", false, "GetObject"},
		{"HEAD", "", false, "HeadObject"},
		{"PUT", "partNumber", true, "UploadPartCopy"},
		{"PUT", "partNumber", false, "UploadPart"},
		{"PUT", "tagging", false, "PutObjectTagging"},
		{"PUT", "acl", false, "PutObjectAcl"},
		{"PUT", "retention", false, "PutObjectRetention"},
		{"PUT", "legal-hold", false, "PutObjectLegalHold"},
		{"PUT", "", true, "CopyObject"},
		{"PUT", "", false, "PutObject"},
		{"POST", "uploads", false, "CreateMultipartUpload"},
		{"POST", "uploadId", false, "CompleteMultipartUpload"},
		{"POST", "select", false, "SelectObjectContent"},
		{"POST", "restore", false, "RestoreObject"},
		{"DELETE", "uploadId", false, "AbortMultipartUpload"},
		{"DELETE", "tagging", false, "DeleteObjectTagging"},
		{"DELETE", "", false, "DeleteObject"},
	}
	s3Bucket = []s3Rule{
		{"GET", "list-type", false, "ListObjectsV2"},
		{"GET", "uploads", false, "ListMultipartUploads"},
		{"GET", "versions", false, "ListObjectVersions"},
		{"GET", "location", false, "GetBucketLocation"},
		{"GET", "versioning", false, "GetBucketVersioning"},
		{"GET", "policy", false, "GetBucketPolicy"},
		{"GET", "acl", false, "GetBucketAcl"},
		{"GET", "tagging", false, "GetBucketTagging"},
		{"GET", "lifecycle", false, "GetBucketLifecycleConfiguration"},
		{"GET", "encryption", false, "GetBucketEncryption"},
		{"GET", "cors", false, "GetBucketCors"},
		{"GET", "object-lock", false, "GetObjectLockConfiguration"},
		{"GET", "", false, "ListObjects"},
		{"HEAD", "", false, "HeadBucket"},
		{"PUT", "versioning", false, "PutBucketVersioning"},
		{"PUT", "policy", false, "PutBucketPolicy"},
		{"PUT", "acl", false, "PutBucketAcl"},
		{"PUT", "tagging", false, "PutBucketTagging"},
		{"PUT", "lifecycle", false, "PutBucketLifecycleConfiguration"},
		{"PUT", "encryption", false, "PutBucketEncryption"},
		{"PUT", "cors", false, "PutBucketCors"},
		{"PUT", "", false, "CreateBucket"},
		{"POST", "delete", false, "DeleteObjects"},
		{"DELETE", "policy", false, "DeleteBucketPolicy"},
		{"DELETE", "tagging", false, "DeleteBucketTagging"},
		{"DELETE", "lifecycle", false, "DeleteBucketLifecycle"},
		{"DELETE", "", false, "DeleteBucket"},
	}
	s3Service = []s3Rule{{"GET", "", false, "ListBuckets"}}
)

// s3 names an operation by the method, what the query has, and whether the path
// names a bucket and an object.
func s3(r *Request, op *Operation) {
	op.Service = "S3"
	bucket, key := s3Names(r.Host, r.Path)
	rules := s3Object
	switch {
	case len(bucket) == 0:
		rules, op.Path = s3Service, "/"
	case len(key) == 0:
		rules, op.Path = s3Bucket, "/{bucket}"
	default:
		op.Path = "/{bucket}/{key}"
	}
	op.Bucket = unescape(bucket)
	for i := range rules {
		rule := &rules[i]
		if rule.method != r.Method || rule.copies && !r.Copies {
			continue
		}
		if rule.parameter != "" {
			if _, has := parameter(r.Query, rule.parameter); !has {
				continue
			}
		}
		op.Name = rule.name
		return
	}
}

// s3Names returns the bucket and the key that a request is about. The name of a
// host tells a bucket only before a label that begins with s3; behind any other
// host the path begins with the bucket.
func s3Names(host, path []byte) (bucket, key []byte) {
	path = bytes.TrimPrefix(path, []byte("/"))
	for _, mark := range []string{".s3.", ".s3-"} {
		if i := bytes.Index(host, []byte(mark)); i > 0 {
			return host[:i], path
		}
	}
	bucket, key, _ = bytes.Cut(path, []byte("/"))
	return bucket, key
}

// isPresigned tells whether a query carries a signature for S3.
func isPresigned(query []byte) bool {
	credential, ok := parameter(query, "X-Amz-Credential")
	return ok && (bytes.Contains(credential, []byte("%2Fs3%2Faws4_request")) || bytes.Contains(credential, []byte("/s3/aws4_request")))
}
