package rpcfacts

// Code is a status code of gRPC, plus one.
type Code uint8

// Codes.
const (
	NoCode Code = iota // not seen
	OK
	Cancelled
	Unknown
	InvalidArgument
	DeadlineExceeded
	NotFound
	AlreadyExists
	PermissionDenied
	ResourceExhausted
	FailedPrecondition
	Aborted
	OutOfRange
	Unimplemented
	Internal
	Unavailable
	DataLoss
	Unauthenticated
)

var codeNames = [...]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
	"UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

// String is the name of the code; that of NoCode is empty.
func (c Code) String() string {
	if c == NoCode || int(c) > len(codeNames) {
		return ""
	}
	return codeNames[c-1]
}

// failed tells whether a code is an error on a span of a kind: on a client's
// every one but OK is, on a server's those that are not the caller's doing.
func (c Code) failed(client bool) bool {
	switch c {
	case NoCode, OK:
		return false
	case Unknown, DeadlineExceeded, Unimplemented, Internal, Unavailable, DataLoss:
		return true
	default:
		return client
	}
}

// codeOfHTTP is the code for a response without a grpc-status, as gRPC's
// mapping of HTTP statuses says.
func codeOfHTTP(status uint16) Code {
	switch status {
	case 400:
		return Internal
	case 401:
		return Unauthenticated
	case 403:
		return PermissionDenied
	case 404:
		return Unimplemented
	case 429, 502, 503, 504:
		return Unavailable
	}
	return Unknown
}

// codeOfReset is the code for an error code of HTTP/2 that a stream was reset
// with, as gRPC's mapping of them says.
func codeOfReset(name string) Code {
	switch name {
	case "REFUSED_STREAM":
		return Unavailable
	case "CANCEL":
		return Cancelled
	case "ENHANCE_YOUR_CALM":
		return ResourceExhausted
	case "INADEQUATE_SECURITY":
		return PermissionDenied
	}
	return Internal
}
