package spans

// Bounds of what inferred templates may cost a back end: span names and
// metrics are made of them.
const (
	maxRoutesPerServer = 200
	maxServers         = 1024
)

// Server names what a bounded number of templates is kept for.
type Server struct {
	NetNS uint32
	Port  uint16
	Host  string // of client spans; empty on server spans, whose Host header anyone can invent
}

// routes remembers which inferred templates were admitted for a server, so that
// paths that are all different (scanners, ids without a pattern) cannot make
// any number of span names.
type routes map[Server]map[string]string

func newRoutes() routes { return make(routes) }

// admit returns template as a string when it may be used for server. Unless
// fresh, only a template that was admitted before is. A full table of servers
// is begun anew.
func (r routes) admit(server Server, template []byte, fresh bool) (string, bool) {
	known := r[server]
	if s, ok := known[string(template)]; ok {
		return s, true
	}
	if !fresh || len(known) >= maxRoutesPerServer {
		return "", false
	}
	if known == nil {
		if len(r) >= maxServers {
			clear(r)
		}
		known = make(map[string]string)
		r[server] = known
	}
	raw := string(template)
	s := valid(raw)
	known[raw] = s
	return s, true
}

// Route returns template as a string when it is one of the bounded number of
// templates that server may have. fresh says that a new one may be admitted,
// which a request that was not found does not deserve.
func (w *Writer) Route(server Server, template []byte, fresh bool) (string, bool) {
	return w.t.routes.admit(server, template, fresh)
}
