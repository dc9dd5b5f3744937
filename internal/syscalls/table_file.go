package syscalls

// fileRows are the calls about files.
var fileRows = []Spec{
	{
		Name:    "open",
		Numbers: Numbers{AMD64: n(2), I386: n(5), ARM: n(5)},
		Args:    []Arg{argName, argFlags, argMode},
		Result:  ResultFile,
	},
	{
		Name:    "openat",
		Numbers: Numbers{AMD64: n(257), ARM64: n(56), I386: n(295), ARM: n(322)},
		Args:    []Arg{argDirFD, argName, argFlags, argMode},
		Result:  ResultFile,
	},
	{
		Name:    "openat2",
		Numbers: Numbers{AMD64: n(437), ARM64: n(437), I386: n(437), ARM: n(437)},
		Args:    []Arg{argDirFD, argName, {Name: "how", Kind: KindOpenHow}, {Name: "size", Kind: KindUint64}},
		Result:  ResultFile,
	},
	{
		Name:    "creat",
		Numbers: Numbers{AMD64: n(85), I386: n(8), ARM: n(8)},
		Args:    []Arg{argName, argMode},
		Result:  ResultFile,
	},
	{
		Name:    "unlink",
		Numbers: Numbers{AMD64: n(87), I386: n(10), ARM: n(10)},
		Args:    []Arg{argPath},
	},
	{
		Name:    "unlinkat",
		Numbers: Numbers{AMD64: n(263), ARM64: n(35), I386: n(301), ARM: n(328)},
		Args:    []Arg{argDirFD, argName, argFlags},
	},
	{
		Name:    "rename",
		Numbers: Numbers{AMD64: n(82), I386: n(38), ARM: n(38)},
		Args:    []Arg{argOldPath, argNewPath},
	},
	{
		Name:    "renameat",
		Numbers: Numbers{AMD64: n(264), ARM64: n(38), I386: n(302), ARM: n(329)},
		Args: []Arg{
			{Name: "olddirfd", Kind: KindDirFD},
			argOldPath,
			{Name: "newdirfd", Kind: KindDirFD},
			argNewPath,
		},
	},
	{
		Name:    "renameat2",
		Numbers: Numbers{AMD64: n(316), ARM64: n(276), I386: n(353), ARM: n(382)},
		Args: []Arg{
			{Name: "olddirfd", Kind: KindDirFD},
			argOldPath,
			{Name: "newdirfd", Kind: KindDirFD},
			argNewPath, argFlags,
		},
	},
	{
		Name:    "link",
		Numbers: Numbers{AMD64: n(86), I386: n(9), ARM: n(9)},
		Args:    []Arg{argOldPath, argNewPath},
	},
	{
		Name:    "linkat",
		Numbers: Numbers{AMD64: n(265), ARM64: n(37), I386: n(303), ARM: n(330)},
		Args: []Arg{
			{Name: "olddir", Kind: KindDirFD},
			argOldPath,
			{Name: "newdir", Kind: KindDirFD},
			argNewPath,
			argFlags,
		},
	},
	{
		Name:    "symlink",
		Numbers: Numbers{AMD64: n(88), I386: n(83), ARM: n(83)},
		Args:    []Arg{argTarget, argLinkPath},
	},
	{
		Name:    "symlinkat",
		Numbers: Numbers{AMD64: n(266), ARM64: n(36), I386: n(304), ARM: n(331)},
		Args:    []Arg{argTarget, {Name: "linkdirfd", Kind: KindDirFD}, argLinkPath},
	},
	{
		Name:    "mkdir",
		Numbers: Numbers{AMD64: n(83), I386: n(39), ARM: n(39)},
		Args:    []Arg{argPath, argMode},
	},
	{
		Name:    "mkdirat",
		Numbers: Numbers{AMD64: n(258), ARM64: n(34), I386: n(296), ARM: n(323)},
		Args:    []Arg{argDirFD, argPath, argMode},
	},
	{
		Name:    "rmdir",
		Numbers: Numbers{AMD64: n(84), I386: n(40), ARM: n(40)},
		Args:    []Arg{argPath},
	},
	{
		Name:    "chmod",
		Numbers: Numbers{AMD64: n(90), I386: n(15), ARM: n(15)},
		Args:    []Arg{argFilename, argMode},
	},
	{
		Name:    "fchmod",
		Numbers: Numbers{AMD64: n(91), ARM64: n(52), I386: n(94), ARM: n(94)},
		Args:    []Arg{argFD, argMode},
	},
	{
		Name:    "fchmodat",
		Numbers: Numbers{AMD64: n(268), ARM64: n(53), I386: n(306), ARM: n(333)},
		Args:    []Arg{argDirFD, argFilename, argMode},
	},
	{
		Name:    "fchmodat2", // Linux 6.6
		Numbers: Numbers{AMD64: n(452), ARM64: n(452), I386: n(452), ARM: n(452)},
		Args:    []Arg{argDirFD, argFilename, argMode, argFlags},
	},
	{
		Name:    "chdir",
		Numbers: Numbers{AMD64: n(80), ARM64: n(49), I386: n(12), ARM: n(12)},
		Args:    []Arg{argPath},
		Result:  ResultCwd,
	},
	{
		Name:    "fchdir",
		Numbers: Numbers{AMD64: n(81), ARM64: n(50), I386: n(133), ARM: n(133)},
		Args:    []Arg{argFD},
		Result:  ResultCwd,
	},
	{
		Name:    "open_by_handle_at",
		Numbers: Numbers{AMD64: n(304), ARM64: n(265), I386: n(342), ARM: n(371)},
		Args:    []Arg{{Name: "mountfd", Kind: KindDescriptor}, {Name: "handle", Kind: KindAddress}, argFlags},
		Result:  ResultFile,
	},
	{
		Name:    "mknod",
		Numbers: Numbers{AMD64: n(133), I386: n(14), ARM: n(14)},
		Args:    []Arg{argPath, argMode, {Name: "dev", Kind: KindUint}},
	},
	{
		Name:    "mknodat",
		Numbers: Numbers{AMD64: n(259), ARM64: n(33), I386: n(297), ARM: n(324)},
		Args:    []Arg{argDirFD, argPath, argMode, {Name: "dev", Kind: KindUint}},
	},
	{
		Name:    "chown",
		Numbers: Numbers{AMD64: n(92), I386: n(182, 212), ARM: n(182, 212)},
		Args:    []Arg{argPath, argUID, argGID},
	},
	{
		Name:    "lchown",
		Numbers: Numbers{AMD64: n(94), I386: n(16, 198), ARM: n(16, 198)},
		Args:    []Arg{argPath, argUID, argGID},
	},
	{
		Name:    "fchown",
		Numbers: Numbers{AMD64: n(93), ARM64: n(55), I386: n(95, 207), ARM: n(95, 207)},
		Args:    []Arg{argFD, argUID, argGID},
	},
	{
		Name:    "fchownat",
		Numbers: Numbers{AMD64: n(260), ARM64: n(54), I386: n(298), ARM: n(325)},
		Args:    []Arg{argDirFD, {Name: "pathname", Kind: KindPath}, argUID, argGID, argFlags},
	},
	{
		Name:    "truncate",
		Numbers: Numbers{AMD64: n(76), ARM64: n(45), I386: n(92), ARM: n(92)},
		Args:    []Arg{argPath, {Name: "length", Kind: KindInt64}},
	},
	{
		Name:    "truncate64",
		Numbers: Numbers{I386: n(193), ARM: n(193)},
		Args:    []Arg{argPath},
	},
	{
		Name:    "ftruncate",
		Numbers: Numbers{AMD64: n(77), ARM64: n(46), I386: n(93), ARM: n(93)},
		Args:    []Arg{argFD, {Name: "length", Kind: KindInt64}},
	},
	{
		Name:    "ftruncate64",
		Numbers: Numbers{I386: n(194), ARM: n(194)},
		Args:    []Arg{argFD},
	},
	{
		Name:    "setxattr",
		Numbers: Numbers{AMD64: n(188), ARM64: n(5), I386: n(226), ARM: n(226)},
		Args:    []Arg{argPath, {Name: "name", Kind: KindText}, {Name: "value", Kind: KindAddress}, {Name: "size", Kind: KindUint64}, argFlags},
	},
	{
		Name:    "lsetxattr",
		Numbers: Numbers{AMD64: n(189), ARM64: n(6), I386: n(227), ARM: n(227)},
		Args:    []Arg{argPath, {Name: "name", Kind: KindText}, {Name: "value", Kind: KindAddress}, {Name: "size", Kind: KindUint64}, argFlags},
	},
	{
		Name:    "fsetxattr",
		Numbers: Numbers{AMD64: n(190), ARM64: n(7), I386: n(228), ARM: n(228)},
		Args:    []Arg{argFD, {Name: "name", Kind: KindText}, {Name: "value", Kind: KindAddress}, {Name: "size", Kind: KindUint64}, argFlags},
	},
	{
		Name:    "copy_file_range",
		Numbers: Numbers{AMD64: n(326), ARM64: n(285), I386: n(377), ARM: n(391)},
		Args: []Arg{
			{Name: "fdin", Kind: KindFD},
			{Name: "off_in", Kind: KindAddress},
			{Name: "fdout", Kind: KindDescriptor},
			{Name: "off_out", Kind: KindAddress},
			{Name: "len", Kind: KindUint64},
			argFlags,
		},
		Result: ResultCount,
	},
	{
		Name:    "splice",
		Numbers: Numbers{AMD64: n(275), ARM64: n(76), I386: n(313), ARM: n(340)},
		Args: []Arg{
			{Name: "fd_in", Kind: KindFD},
			{Name: "off_in", Kind: KindAddress},
			{Name: "fd_out", Kind: KindDescriptor},
			{Name: "off_out", Kind: KindAddress},
			{Name: "size", Kind: KindUint64},
			argFlags,
		},
		Result: ResultCount,
		Often:  true,
	},
	{
		Name:    "sendfile",
		Numbers: Numbers{AMD64: n(40), ARM64: n(71), I386: n(187, 239), ARM: n(187, 239)},
		Args: []Arg{
			{Name: "out_fd", Kind: KindFD},
			{Name: "in_fd", Kind: KindDescriptor},
			{Name: "offset_ptr", Kind: KindAddress},
			{Name: "size", Kind: KindUint64},
		},
		Result: ResultCount,
		Often:  true,
	},
}
