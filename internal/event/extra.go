package event

// Kinds of extras and the parts of a record that they can belong to besides
// the arguments; enum event_extra_kind and event_part of bpf/event.h.
const (
	extraBytes     = 1
	extraPath      = 2
	extraFile      = 3
	extraSocket    = 4
	extraUnixLocal = 5
	extraUnixPeer  = 6
	extraAddress   = 7
	extraIdentity  = 8

	partResult   = 8
	partCwd      = 9
	partExe      = 10
	partFilename = 11
	partInterp   = 12
	partArgv     = 13
	partEnv      = 14
	partCgroup   = 15
	partIdentity = 16
)

// extra is one piece of variable length behind the fixed part of a record.
type extra struct {
	arg, kind uint8
	flags     ArgFlags
	data      []byte
}

// nextExtra cuts the first extra off b; ok is false at the end.
func nextExtra(b []byte) (x extra, rest []byte, ok bool, err error) {
	if len(b) == 0 {
		return x, nil, false, nil
	}
	if len(b) < extraSize {
		return x, nil, false, ErrShort
	}
	x.arg, x.kind = b[0], b[1]
	x.flags = ArgFlags(ne.Uint16(b[2:]))
	n := uint64(ne.Uint32(b[4:]))
	if n > uint64(len(b)-extraSize) {
		return x, nil, false, ErrShort
	}
	end := extraSize + int(n)
	x.data = b[extraSize:end:end]
	return x, b[min((end+7)&^7, len(b)):], true, nil
}

// path turns the names that the kernel side collected on its way up, each with
// a NUL, into a path inside ev's own buffer. A path that does not begin at the
// root (flags say why) has no leading slash.
func (ev *Event) path(names []byte, flags ArgFlags) []byte {
	begin := len(ev.paths)
	rooted := flags&(ArgDetached|ArgTruncated) == 0
	for end := len(names); end > 0; {
		end-- // the NUL
		start := end
		for start > 0 && names[start-1] != 0 {
			start--
		}
		if rooted || len(ev.paths) > begin {
			ev.paths = append(ev.paths, '/')
		}
		ev.paths = append(ev.paths, names[start:end]...)
		end = start
	}
	if rooted && len(ev.paths) == begin {
		ev.paths = append(ev.paths, '/')
	}
	return ev.paths[begin:len(ev.paths):len(ev.paths)]
}

func decodeFile(b []byte, f *File) {
	if len(b) < fileSize {
		return
	}
	f.Inode = ne.Uint64(b)
	f.Device = ne.Uint32(b[8:])
	f.Mode = ne.Uint32(b[12:])
	f.Flags = FileFlags(ne.Uint32(b[16:]))
	f.Directory = ne.Uint32(b[20:])
}

func decodeSocket(b []byte, s *Socket) {
	if len(b) < socketSize {
		return
	}
	s.Family = ne.Uint16(b)
	s.Type = ne.Uint16(b[2:])
	s.Protocol = ne.Uint16(b[4:])
	s.State = b[6]
	s.Bound, s.Accepted = b[7]&1 != 0, b[7]&2 != 0
	s.LocalPort = ne.Uint16(b[8:])
	s.PeerPort = ne.Uint16(b[10:])
	s.NetNS = ne.Uint32(b[12:])
	s.LocalAddr = [16]byte(b[16:32])
	s.PeerAddr = [16]byte(b[32:48])
}

// Address families that Socket knows the addresses of.
const (
	afUnix  = 1
	afInet  = 2
	afInet6 = 10
)

// sockaddr decodes the caller's struct sockaddr into one side of s.
func (s *Socket) sockaddr(b []byte, local bool) {
	if len(b) < 2 {
		return
	}
	s.Family = ne.Uint16(b)
	addr, port, path := &s.PeerAddr, &s.PeerPort, &s.PeerPath
	if local {
		addr, port, path = &s.LocalAddr, &s.LocalPort, &s.LocalPath
	}
	switch {
	case s.Family == afInet && len(b) >= 8:
		*port = uint16(b[2])<<8 | uint16(b[3])
		copy(addr[:4], b[4:8])
	case s.Family == afInet6 && len(b) >= 24:
		*port = uint16(b[2])<<8 | uint16(b[3])
		copy(addr[:], b[8:24])
	case s.Family == afUnix:
		*path = unixPath(b[2:])
	}
}

// unixPath is a sun_path without what follows its NUL; an abstract name begins
// with NUL and has every byte.
func unixPath(b []byte) []byte {
	if len(b) > 0 && b[0] == 0 {
		return b
	}
	return text(b)
}

func (id *Identity) decode(x *extra) {
	b := x.data
	if x.kind != extraIdentity || len(b) < identitySize {
		return
	}
	*id = Identity{
		Known: true, CapInheritable: ne.Uint64(b), CapPermitted: ne.Uint64(b[8:]), CapEffective: ne.Uint64(b[16:]),
		PIDNSStart: ne.Uint64(b[24:]), SID: ne.Uint32(b[32:]), VPGID: ne.Uint32(b[36:]),
	}
}
