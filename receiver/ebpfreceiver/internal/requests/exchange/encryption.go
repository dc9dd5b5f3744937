package exchange

// Encryption is what the handshake of an encrypted connection has told. What was
// not seen is empty.
type Encryption struct {
	ServerName string // that the client asked for
	Version    string // of TLS, as in "1.3"
}

// EncryptionSink is a Sink of cipher text.
type EncryptionSink interface {
	// Encryption is where what the handshake tells is noted.
	Encryption() *Encryption
}
