package syscalls

// Numbers are a call's numbers on each ABI, empty where it does not exist. The
// 32-bit ABIs have two for some calls (16- and 32-bit user ids).
type Numbers struct {
	AMD64, ARM64 []uint16
	X32          []uint16 // only those above 511, which are x32's own; below it shares AMD64's
	I386, ARM    []uint16 // 32-bit calls on amd64 and on arm64
	SocketCall   uint8    // i386: first argument of socketcall (102) that means this call; 0 for none
}

// Spec is one row of Table.
type Spec struct {
	Name    string
	Numbers Numbers
	Args    []Arg // at most MaxArgs, in register order
	Result  Result
	Timed   bool // the call may block: its record tells when it began
	// Identity: the call changes who the process is (credentials, capabilities,
	// session, process group, namespaces); its record tells what they are after it.
	Identity bool
	Often    bool // so frequent that only those get it who name it
}

// Reads tells whether an argument of this kind is read when the call begins.
func (k Kind) Reads() bool {
	return k >= KindPath && k < KindFDPair && k != KindSockaddrOut
}

// Written tells whether an argument of this kind is memory that the kernel
// writes, read when the call has succeeded.
func (k Kind) Written() bool { return k >= KindFDPair }

// IsExec tells whether the call replaces the program; its success is told by
// the exec record, not by the call's own.
func (s *Spec) IsExec() bool { return s.Name == "execve" || s.Name == "execveat" }

// Native are the call's numbers on goarch ("amd64", "arm64"); nil where it does
// not exist.
func (n *Numbers) Native(goarch string) []uint16 {
	switch goarch {
	case "amd64":
		return append(append([]uint16(nil), n.AMD64...), n.X32...)
	case "arm64":
		return n.ARM64
	default:
		return nil
	}
}

// Compat are the numbers of the 32-bit call on goarch.
func (n *Numbers) Compat(goarch string) []uint16 {
	switch goarch {
	case "amd64":
		return n.I386
	case "arm64":
		return n.ARM
	default:
		return nil
	}
}

// Index is the position of the named call in Table.
func Index(name string) (int, bool) {
	i, ok := byName[name]
	return i, ok
}

// Lookup is the row of the named call, nil when it is not captured.
func Lookup(name string) *Spec {
	if i, ok := byName[name]; ok {
		return &Table[i]
	}
	return nil
}

// ArgIndex is the position of the named argument, -1 when the call has none of
// that name.
func (s *Spec) ArgIndex(name string) int {
	for i := range s.Args {
		if s.Args[i].Name == name {
			return i
		}
	}
	return -1
}

var byName = func() map[string]int {
	m := make(map[string]int, len(Table))
	for i := range Table {
		m[Table[i].Name] = i
	}
	return m
}()
