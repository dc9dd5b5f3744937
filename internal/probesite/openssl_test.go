package probesite

import (
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func onStack(above uint16) Place { return Place{OnStack: true, Above: above} }

// Session, kind of record, and whether it is only looked at, as the disassembly
// shows them.
func TestCopies(t *testing.T) {
	code := realCode(t)
	for function, want := range map[string][]Copy{
		"libssl-3.0.19-debian12 ssl3_read_bytes": {
			{Site{Offset: 0x842, Delta: 0x842, Cost: Emulated}, []Place{onStack(0x28), onStack(4), onStack(0)}},
		},
		"node-20-static-openssl ssl3_read_bytes": { // one loop for those who look, another one for the others
			{Site{Offset: 0x74f, Delta: 0x74f, Cost: Emulated}, []Place{onStack(0x10), onStack(0x3c), onStack(0x38)}},
			{Site{Offset: 0x7cc, Delta: 0x7cc, Cost: Emulated}, []Place{onStack(0x10), onStack(0x3c), onStack(0x38)}},
		},
		"libssl-3.0.19-debian12 SSL_read":         nil,
		"libssl-3.0.19-debian12 SSL_do_handshake": nil,
		"gcc12-arm64 plain":                       nil,
	} {
		require.Equal(t, want, code[function].copies(modern), function)
	}
}

const copyCall = "e8 00 01 00 00" // call of a function behind this one

func TestCopiesBy(t *testing.T) {
	const (
		saveAll   = "48 83 ec 18" /* sub rsp,24 */ + "48 89 fb" /* mov rbx,rdi */ + "89 34 24" /* mov [rsp],esi */ + "44 89 4c 24 08" // mov [rsp+8],r9d
		toCaller  = "48 89 cf"                                                                                                        // mov rdi,rcx
		toBehind  = "49 89 cc" /* mov r12,rcx */ + "49 01 c4" /* add r12,rax */ + "4c 89 e7"                                          // mov rdi,r12
		toSession = "48 8d 7b 10"                                                                                                     // lea rdi,[rbx+16]
		ret       = "c3"
	)
	places := []Place{{Register: RBX}, onStack(0), onStack(8)}
	for _, tt := range []struct {
		name  string
		parts []string
		want  []Place
	}{
		{"to the caller's memory", []string{saveAll, toCaller, copyCall, ret}, places},
		{"behind its beginning", []string{saveAll, toBehind, copyCall, ret}, places},
		{"to the session", []string{saveAll, toSession, copyCall, ret}, nil},
		{"to nobody knows where", []string{saveAll, "48 89 c7" /* mov rdi,rax */, copyCall, ret}, nil},
		{"the word is overwritten", []string{saveAll, "c6 44 24 02 01" /* mov byte [rsp+2],1 */, toCaller, copyCall, ret}, nil},
		{"the register is", []string{saveAll, "31 db" /* xor ebx,ebx */, toCaller, copyCall, ret}, nil},
		{"on one of two ways", []string{saveAll, "85 c0" /* test eax,eax */, "74 02" /* je */, "31 db", toCaller, copyCall, ret}, nil},
		{"the stack grows meanwhile", []string{saveAll, "50" /* push rax */, toCaller, copyCall, ret}, []Place{{Register: RBX}, onStack(8), onStack(16)}},
		{"below the stack's end", []string{saveAll, "48 83 c4 08" /* add rsp,8 */, toCaller, copyCall, ret}, nil},
		{"half of the session", []string{"89 fb" /* mov ebx,edi */, "89 34 24", "44 89 4c 24 08", toCaller, copyCall, ret}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fn := assembled(tt.parts...)
			g := fn.explore()
			copier := 0
			for _, i := range g.list {
				if i.flow == flowCall {
					copier = i.target
				}
			}
			copies := fn.copiesBy(g, copier, modern)
			if tt.want == nil {
				require.Empty(t, copies)
				return
			}
			require.Len(t, copies, 1)
			require.Equal(t, tt.want, copies[0].Arguments)
		})
	}
}

func TestOpenSSLOfThisMachine(t *testing.T) {
	content, err := os.Open("/usr/lib/x86_64-linux-gnu/libssl.so.3")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no OpenSSL is installed")
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, content.Close()) }()
	elf, err := Open(content)
	require.NoError(t, err)
	places, err := elf.OpenSSL(modern)
	require.NoError(t, err)
	require.NotEmpty(t, places.Copies)
	require.Len(t, places.Handshakes, 2)
}

func TestNoOpenSSL(t *testing.T) {
	self, err := os.Open("/proc/self/exe")
	require.NoError(t, err)
	defer func() { require.NoError(t, self.Close()) }()
	elf, err := Open(self)
	require.NoError(t, err)
	_, err = elf.OpenSSL(modern)
	require.ErrorIs(t, err, ErrNoFunction)
}
