// Package servicemap finds the service at the other end of a request.
//
// A span may say so itself (service.peer.name). Otherwise the other end's span
// of the same request tells, if this connector sees it: it has the same trace
// context, or the same client address and port. Both ends enter themselves into
// a Directory and look for the other; a span that comes first waits a while and
// then looks again. What remains unknown is named by what is known of its
// address: a DNS name, a network, or the internet.
package servicemap
