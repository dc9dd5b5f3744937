package exchange

// Form is a form in which a connection goes on that is not decoded.
type Form uint8

// Forms.
const (
	TLS         Form = iota // encrypted after an agreement in plain text
	GSSAPI                  // encrypted by GSSAPI
	Compressed              // compressed as a whole
	Replication             // a copy of the database's changes, not requests
	Binary                  // an encoding of the protocol that is not understood
	Unsupported             // a protocol that is recognised only
	numForms
)

// NumForms is the number of Forms.
const NumForms = int(numForms)

var formNames = [NumForms]string{"tls", "gssapi", "compressed", "replication", "binary", "unsupported"}

func (f Form) String() string {
	if int(f) < len(formNames) {
		return formNames[f]
	}
	return "unknown"
}
