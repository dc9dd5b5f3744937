// Package http1 follows HTTP/1.0 and HTTP/1.1 connections: keep-alive,
// pipelining, bodies of known length, chunked ones and such that end with the
// connection, interim responses, upgrades, and heads that are split over calls
// or longer than what the kernel copies.
package http1

import (
	"bytes"
	"slices"

	"github.com/sightglass/sightglass/internal/event"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/httpfacts"
)

// Protocol is HTTP/1. Its bounds may be changed before the first use.
type Protocol struct {
	// RequestBytes and ResponseBytes are how much of a head the kernel copies.
	RequestBytes, ResponseBytes uint16
}

// Bounds by default. Most heads are shorter and cost what they are long.
const (
	DefaultRequestBytes  = 512
	DefaultResponseBytes = 512
)

// New returns the protocol with its default bounds.
func New() *Protocol {
	return &Protocol{RequestBytes: DefaultRequestBytes, ResponseBytes: DefaultResponseBytes}
}

// Name implements exchange.Protocol.
func (*Protocol) Name() string { return "http" }

// methods are what the kernel recognises the first request of a connection by,
// besides what looks like one of another method (unlisted). Later ones may have any.
var methods = []string{
	"GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE ", "QUERY ",
	"PROPFIND", "PROPPATC", "REPORT ", "SEARCH ", "MKCOL ", "COPY ", "MOVE ", "LOCK ", "UNLOCK ",
	"PURGE ", "LINK ", "UNLINK ", "ACL ", "MERGE ", "BAN ", "VIEW ", "NOTIFY ", "SUBSCRIB", "UNSUBSCR", "M-SEARCH", "VERSION-",
}

// bodiless are those of them whose requests have no body. Some clients send one all
// the same: then more is copied of a few segments than is worth it.
var bodiless = []string{"GET ", "HEAD ", "DELETE ", "OPTIONS "}

// unlisted describes requests of other methods: so many upper-case letters, and a
// target that is a path. Of longer methods there are eight letters.
func unlisted(bound uint16) (list []event.Signature) {
	const (
		fewest = 3
		look   = 8 // bytes; what looks further is compared before others
	)
	for n := fewest; n <= look; n++ {
		s := signature("", bound, true)
		for i := range n {
			s.Mask[i], s.Value[i] = 0xe0, 0x40
		}
		for i, c := range []byte(" /")[:min(2, look-n)] {
			s.Mask[n+i], s.Value[n+i] = 0xff, c
		}
		list = append(list, s)
	}
	return list
}

const responsePrefix = "HTTP/1."

// headEnd is how a head ends, and so a request without a body.
const headEnd = "\r\n\r\n"

// Signatures implements exchange.Protocol.
func (p *Protocol) Signatures() []event.Signature {
	list := make([]event.Signature, 0, 2*len(methods))
	list = append(list, signature(responsePrefix, p.ResponseBytes, false))
	for _, m := range methods {
		s := signature(m, p.RequestBytes, true)
		s.Bodiless = slices.Contains(bodiless, m)
		list = append(list, s)
	}
	return append(list, unlisted(p.RequestBytes)...)
}

func signature(prefix string, bound uint16, bare bool) event.Signature {
	s := event.Signature{Bound: bound, End: headEnd, Bare: bare, Apart: true}
	n := copy(s.Value[:], prefix)
	for i := range n {
		s.Mask[i] = 0xff
	}
	return s
}

// Classify implements exchange.Protocol. Bytes so few that they may be either
// are told to be neither.
func (*Protocol) Classify(first []byte) exchange.Verdict {
	request, response := looksLikeRequest(first), looksLikeResponse(first)
	switch {
	case request == response:
		return exchange.Foreign
	case request:
		return exchange.IsRequest
	}
	return exchange.IsResponse
}

// NewFacts implements exchange.Protocol.
func (*Protocol) NewFacts() exchange.Facts { return &httpfacts.Facts{} }

// NewParser implements exchange.Protocol.
func (*Protocol) NewParser(sink exchange.Sink) exchange.Parser { return &Parser{sink: sink} }

// looksLikeResponse tells whether b may be the beginning of a status line.
func looksLikeResponse(b []byte) bool {
	n := min(len(b), len(responsePrefix))
	return n > 0 && string(b[:n]) == responsePrefix[:n]
}

// maxMethod is the longest method that is taken for one.
const maxMethod = 24

// looksLikeRequest tells whether b may be the beginning of a request line:
// METHOD SP target SP HTTP/1.x, as far as it is there.
func looksLikeRequest(b []byte) bool {
	i := 0
	for i < len(b) && i <= maxMethod && (b[i] >= 'A' && b[i] <= 'Z' || b[i] == '-' || b[i] == '_') {
		i++
	}
	if i == 0 || i > maxMethod {
		return false
	}
	if i == len(b) {
		return true
	}
	if b[i] != ' ' {
		return false
	}
	line, _, ended := bytes.Cut(b[i+1:], []byte("\n"))
	if !ended {
		return true
	}
	line = bytes.TrimSuffix(line, []byte("\r"))
	space := bytes.LastIndexByte(line, ' ')
	return space > 0 && looksLikeResponse(line[space+1:]) && len(line)-space > len(responsePrefix)
}
