package servicelatencyconnector

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// hostIDFiles are read in this order. In a container the first is often
// missing; the second is then the node's.
var hostIDFiles = []string{"/etc/machine-id", "/proc/sys/kernel/random/boot_id"}

// writer is the identity of one run of the connector.
type writer struct{ host, id string }

func newWriter() writer {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails; it ends the program instead
	return writer{host: hostID(os.ReadFile), id: hex.EncodeToString(id[:])}
}

// hostID returns an identity of the machine, empty if it has none.
func hostID(read func(string) ([]byte, error)) string {
	for _, file := range hostIDFiles {
		if content, err := read(file); err == nil {
			if id := strings.TrimSpace(string(content)); id != "" {
				return strings.ReplaceAll(id, "-", "")
			}
		}
	}
	return ""
}

// stamp writes the identity into a resource.
func (w writer) stamp(resource pcommon.Map, temporality Temporality) {
	if w.host != "" {
		resource.PutStr(writerHost, w.host)
	}
	if temporality == Delta {
		resource.PutStr(writerID, w.id)
	}
}
