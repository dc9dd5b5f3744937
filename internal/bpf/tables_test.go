package bpf

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/internal/syscalls"
)

func TestTablesOfAMD64(t *testing.T) {
	tab := newTables("amd64")
	row := func(name string) uint8 {
		i, ok := syscalls.Index(name)
		require.True(t, ok)
		return uint8(i + 1)
	}
	assert.Equal(t, row("openat"), tab.rows[257])
	assert.Equal(t, row("open"), tab.rows[2])
	assert.Equal(t, row("execve"), tab.rows[520], "x32 has a number of its own")
	assert.Equal(t, row("open"), tab.compat[5])
	assert.Equal(t, row("setuid"), tab.compat[23])
	assert.Equal(t, row("setuid"), tab.compat[213])
	assert.EqualValues(t, rowSocketcall, tab.compat[102])
	assert.Equal(t, row("connect"), tab.socketcall[3])
	assert.Zero(t, tab.rows[0], "read is not captured")
}

func TestTablesOfARM64(t *testing.T) {
	tab := newTables("arm64")
	i, _ := syscalls.Index("openat")
	assert.EqualValues(t, i+1, tab.rows[56])
	assert.Zero(t, tab.rows[257])
	assert.Zero(t, tab.compat[102], "socketcall is x86's")
	open, _ := syscalls.Index("open")
	assert.EqualValues(t, open+1, tab.compat[5])
}

func TestSpecs(t *testing.T) {
	for i := range syscalls.Table {
		s := &syscalls.Table[i]
		out := specOf(s)
		reads := false
		for n, a := range s.Args {
			assert.Equal(t, uint8(a.Kind), out.Kinds[n], s.Name)
			assert.Equal(t, a.Kind.Reads(), out.Memory&(1<<n) != 0, s.Name)
			assert.Equal(t, a.Kind.Written(), out.Written&(1<<n) != 0, s.Name)
			assert.Equal(t, a.Kind == syscalls.KindFD, out.Fds&(1<<n) != 0, s.Name)
			reads = reads || a.Kind.Reads()
		}
		assert.Equal(t, reads, out.Flags&uint8(securitySpecFlagSPEC_ENTER) != 0, s.Name)
		assert.Equal(t, s.Timed, out.Flags&uint8(securitySpecFlagSPEC_TIMED) != 0, s.Name)
		assert.Equal(t, s.Identity, out.Flags&uint8(securitySpecFlagSPEC_IDENTITY) != 0, s.Name)
		assert.Equal(t, s.IsExec(), out.Flags&uint8(securitySpecFlagSPEC_EXEC) != 0, s.Name)
	}
}

func TestShortRecords(t *testing.T) {
	tab := newTables("amd64")
	for name, want := range map[string]bool{
		"openat": true, "open": true, "unlinkat": true, "mkdir": true, "kill": true,
		"rename":       false, // two strings
		"openat2":      false, // a string and a struct
		"chdir":        false, // the new directory
		"memfd_create": false, // no file of the tree
		"fchmod":       false, // what is behind a descriptor
		"connect":      false, "socket": false, "pipe2": false, "setuid": false, "execve": false,
	} {
		i, ok := syscalls.Index(name)
		require.True(t, ok, name)
		assert.Equal(t, want, tab.specs[i+1].Flags&uint8(securitySpecFlagSPEC_SHORT) != 0, name)
	}
}

func TestWants(t *testing.T) {
	w, unknown := wantsOf([]string{"openat", "setuid", "connect", "nonsense"}, ioFlagsOf("amd64"), "amd64")
	assert.Equal(t, []string{"nonsense"}, unknown)
	native, compat, io := uint8(securityCallFlagCALL_WANTED), uint8(securityCallFlagCALL_WANTED_COMPAT), uint8(securityCallFlagCALL_IO)
	assert.Equal(t, native, w.flags[257])
	assert.Equal(t, compat, w.flags[295])
	assert.Equal(t, native, w.flags[105])
	assert.Equal(t, compat, w.flags[213])
	assert.Equal(t, native, w.flags[42])
	assert.Equal(t, io, w.flags[0], "a read matters when it ends")
	assert.Equal(t, io|uint8(securityCallFlagCALL_IO_ENTER), w.flags[1], "a write when it begins, too")
	ioCompat := uint8(securityCallFlagCALL_IO_COMPAT)
	assert.Equal(t, compat|ioCompat, w.flags[102], "socketcall may be a connect, and tells of a 32-bit program")
	assert.Equal(t, compat|ioCompat, w.flags[362], "so does its own number")
	assert.Zero(t, w.flags[39], "getpid costs nothing unless mkdir is wanted")
	i, _ := syscalls.Index("openat")
	assert.EqualValues(t, 1, w.rows[i+1])
}

// TestKindsAgree: the kinds that the programs treat by name are those of the
// table.
func TestKindsAgree(t *testing.T) {
	for wire, kind := range map[securityArgKind]syscalls.Kind{
		securityArgKindARG_NONE: syscalls.KindNone, securityArgKindARG_FD: syscalls.KindFD,
		securityArgKindARG_DIRFD: syscalls.KindDirFD, securityArgKindARG_PATH: syscalls.KindPath,
		securityArgKindARG_TEXT: syscalls.KindText, securityArgKindARG_SOCKADDR: syscalls.KindSockaddr,
		securityArgKindARG_SOCKADDR_OUT: syscalls.KindSockaddrOut, securityArgKindARG_OPEN_HOW: syscalls.KindOpenHow,
		securityArgKindARG_BYTES: syscalls.KindBytes, securityArgKindARG_FD_PAIR: syscalls.KindFDPair,
		securityArgKindARG_STRINGS: syscalls.KindStrings, securityArgKindARG_RLIMIT: syscalls.KindRlimit,
		securityArgKindARG_RLIMIT_LONG: syscalls.KindRlimitLong, securityArgKindARG_CLONE_ARGS: syscalls.KindCloneArgs,
		securityArgKindARG_MESSAGE: syscalls.KindMessage, securityArgKindARG_FD_BEFORE: syscalls.KindClosing,
		securityArgKindARG_BYTES_OUT: syscalls.KindBytesOut, securityArgKindARG_SOCKADDR_FROM: syscalls.KindSockaddrFrom,
		securityArgKindARG_MESSAGE_OUT: syscalls.KindMessageOut, securityArgKindARG_RLIMIT_OUT: syscalls.KindRlimitOut,
		securityArgKindARG_RING_PARAMS: syscalls.KindRingParams, securityArgKindARG_MESSAGES_OUT: syscalls.KindMessagesOut,
	} {
		assert.EqualValues(t, wire, kind)
	}
	assert.EqualValues(t, securityCallResultRESULT_FILE, syscalls.ResultFile)
	assert.EqualValues(t, securityCallResultRESULT_SOCKET, syscalls.ResultSocket)
	assert.EqualValues(t, securityCallResultRESULT_DESCRIPTOR, syscalls.ResultDescriptor)
	assert.EqualValues(t, securityCallResultRESULT_CWD, syscalls.ResultCwd)
	assert.Less(t, len(syscalls.Table), rowSocketcall-1, "rows are one byte")
	assert.Len(t, FilterReasons, int(securityFilterReasonFILTER_RESTART)+1)
	assert.Len(t, LossReasons, int(securityLossReasonLOSS_OVERLOAD)+1)
}
