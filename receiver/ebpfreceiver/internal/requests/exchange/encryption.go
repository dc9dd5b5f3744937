package exchange

// Encryption is what the handshake of an encrypted connection has told. What was
// not seen is empty.
type Encryption struct {
	ServerName string // that the client asked for
	Version    string // of TLS, as in "1.3"
	// Before is what a protocol that began in plain text has learned, for its
	// parser of the encrypted rest.
	Before string
}

// EncryptionSink is a Sink of cipher text.
type EncryptionSink interface {
	// Encryption is where what the handshake tells is noted.
	Encryption() *Encryption
}
