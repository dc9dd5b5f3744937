package syscalls

// systemRows are the calls about mounts, modules, keys and memory.
var systemRows = []Spec{
	{
		Name:    "mount",
		Numbers: Numbers{AMD64: n(165), ARM64: n(40), I386: n(21), ARM: n(21)},
		Args: []Arg{
			{Name: "dev", Kind: KindText},
			{Name: "dir", Kind: KindPath},
			{Name: "type", Kind: KindText},
			argFlags,
			{Name: "data", Kind: KindAddress},
		},
	},
	{
		Name:    "fsopen", // a mount in parts, as mount(8) of util-linux 2.39 makes it
		Numbers: Numbers{AMD64: n(430), ARM64: n(430), I386: n(430), ARM: n(430)},
		Args:    []Arg{{Name: "type", Kind: KindText}, argFlags},
		Result:  ResultDescriptor,
	},
	{
		Name:    "move_mount",
		Numbers: Numbers{AMD64: n(429), ARM64: n(429), I386: n(429), ARM: n(429)},
		Args: []Arg{
			{Name: "from_dirfd", Kind: KindDirFD},
			{Name: "from_path", Kind: KindPath},
			{Name: "to_dirfd", Kind: KindDirFD},
			{Name: "dir", Kind: KindPath},
			argFlags,
		},
	},
	{
		Name:    "chroot",
		Numbers: Numbers{AMD64: n(161), ARM64: n(51), I386: n(61), ARM: n(61)},
		Args:    []Arg{argPath},
	},
	{
		Name:    "pivot_root",
		Numbers: Numbers{AMD64: n(155), ARM64: n(41), I386: n(217), ARM: n(218)},
		Args:    []Arg{{Name: "new_root", Kind: KindPath}, {Name: "put_old", Kind: KindPath}},
	},
	{
		Name:    "umount2",
		Numbers: Numbers{AMD64: n(166), ARM64: n(39), I386: n(52), ARM: n(52)},
		Args:    []Arg{argName, argFlags},
	},
	{
		Name:    "umount",
		Numbers: Numbers{I386: n(22)},
		Args:    []Arg{argName},
	},
	{
		Name:    "init_module",
		Numbers: Numbers{AMD64: n(175), ARM64: n(105), I386: n(128), ARM: n(128)},
		Args:    []Arg{{Name: "img", Kind: KindBytes}, {Name: "length", Kind: KindUint64}, {Name: "uargs", Kind: KindText}},
	},
	{
		Name:    "finit_module",
		Numbers: Numbers{AMD64: n(313), ARM64: n(273), I386: n(350), ARM: n(379)},
		Args:    []Arg{argFD, {Name: "uargs", Kind: KindText}, argFlags},
	},
	{
		Name:    "delete_module",
		Numbers: Numbers{AMD64: n(176), ARM64: n(106), I386: n(129), ARM: n(129)},
		Args:    []Arg{{Name: "name", Kind: KindText}, argFlags},
	},
	{
		Name:    "quotactl",
		Numbers: Numbers{AMD64: n(179), ARM64: n(60), I386: n(131), ARM: n(131)},
		Args: []Arg{
			{Name: "cmd", Kind: KindUint},
			{Name: "special", Kind: KindText},
			{Name: "id", Kind: KindUint},
			{Name: "addr", Kind: KindAddress},
		},
	},
	{
		Name:    "add_key",
		Numbers: Numbers{AMD64: n(248), ARM64: n(217), I386: n(286), ARM: n(309)},
		Args: []Arg{
			{Name: "type", Kind: KindText},
			{Name: "description", Kind: KindText},
			{Name: "payload", Kind: KindAddress},
			{Name: "plen", Kind: KindUint64},
			{Name: "keyring", Kind: KindInt},
		},
		Result: ResultCount,
	},
	{
		Name:    "request_key",
		Numbers: Numbers{AMD64: n(249), ARM64: n(218), I386: n(287), ARM: n(310)},
		Args: []Arg{
			{Name: "type", Kind: KindText},
			{Name: "description", Kind: KindText},
			{Name: "callout_info", Kind: KindText},
			{Name: "dest_keyring", Kind: KindInt},
		},
		Result: ResultCount,
	},
	{
		Name:    "keyctl",
		Numbers: Numbers{AMD64: n(250), ARM64: n(219), I386: n(288), ARM: n(311)},
		Args: []Arg{
			{Name: "operation", Kind: KindEnum},
			{Name: "arg2", Kind: KindUint64},
			{Name: "arg3", Kind: KindUint64},
			{Name: "arg4", Kind: KindUint64},
			{Name: "arg5", Kind: KindUint64},
		},
		Result: ResultCount,
	},
	{
		Name:    "mmap",
		Numbers: Numbers{AMD64: n(9), ARM64: n(222)},
		Args: []Arg{
			{Name: "addr", Kind: KindAddress},
			{Name: "length", Kind: KindUint64},
			{Name: "prot", Kind: KindFlags},
			argFlags,
			argFD,
			{Name: "offset", Kind: KindUint64},
		},
		Result: ResultCount,
		Often:  true,
	},
	{
		Name:    "mmap2",
		Numbers: Numbers{I386: n(192), ARM: n(192)},
		Args: []Arg{
			{Name: "addr", Kind: KindAddress},
			{Name: "length", Kind: KindUint64},
			{Name: "prot", Kind: KindFlags},
			argFlags,
			argFD,
			{Name: "pgoffset", Kind: KindUint64},
		},
		Result: ResultCount,
		Often:  true,
	},
	{
		Name:    "mprotect",
		Numbers: Numbers{AMD64: n(10), ARM64: n(226), I386: n(125), ARM: n(125)},
		Args:    []Arg{{Name: "addr", Kind: KindAddress}, {Name: "length", Kind: KindUint64}, {Name: "prot", Kind: KindFlags}},
	},
}
