package probesite

import (
	"bufio"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// realCode reads the functions of testdata/code.txt by "origin function".
func realCode(tb testing.TB) map[string]Function {
	tb.Helper()
	file, err := os.Open("testdata/code.txt")
	require.NoError(tb, err)
	defer func() { require.NoError(tb, file.Close()) }()
	functions := map[string]Function{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		fields := strings.Fields(lines.Text())
		require.Len(tb, fields, 5)
		code, err := hex.DecodeString(fields[4])
		require.NoError(tb, err)
		functions[fields[0]+" "+fields[1]] = Function{
			Name: fields[1], Code: code, arch: map[string]Arch{"x86": X86, "arm64": ARM64}[fields[2]], goABI: fields[3] == "go",
		}
	}
	return functions
}

var modern = Kernel{Trampolines: true}

func TestEntry(t *testing.T) {
	code := realCode(t)
	for _, tt := range []struct {
		function  string
		arguments int
		want      Site
	}{
		{"libssl-3.0.19-debian12 SSL_read", 3, Site{Delta: 0x16, Cost: Emulated}},  // js behind the first test
		{"libssl-3.0.19-debian12 SSL_write", 3, Site{Delta: 0x16, Cost: Emulated}}, // likewise
		{"libssl-3.0.19-debian12 SSL_read_ex", 4, Site{Delta: 4, Cost: Emulated}},  // the call of what it wraps
		{"libssl-3.0.19-debian12 SSL_do_handshake", 1, Site{Delta: 0, Cost: Emulated, AtCall: true}},
		{"libssl-3.0.19-debian12 SSL_set_fd", 2, Site{Delta: 0, Cost: Emulated, AtCall: true}},
		{"node-20-static-openssl SSL_read", 3, Site{Delta: 0, Cost: Emulated, AtCall: true}},
		{"node-20-static-openssl SSL_write", 3, Site{Delta: 0, Cost: Emulated, AtCall: true}},
		{"node-20-static-openssl BIO_write", 3, Site{Delta: 4, Cost: Emulated, AtCall: true}},
		{"libgnutls-3.7.9-debian12 gnutls_record_send", 3, Site{Delta: 5, Cost: Emulated, AtCall: true}}, // its jmp
		{"libgnutls-3.7.9-debian12 gnutls_record_recv", 3, Site{Delta: 0xe, Cost: Emulated}},
		{"libgnutls-3.7.9-debian12 gnutls_transport_set_int2", 3, Site{Delta: 0, Cost: SingleStepped, AtCall: true}}, // no branch in it
		{"go1.26-amd64 crypto/tls.(*Conn).Read", 3, Site{Delta: 0xa, Cost: Emulated}},                                // push behind the stack check
		{"go1.26-amd64 crypto/tls.(*Conn).Write", 3, Site{Delta: 0xf, Cost: Emulated}},                               // likewise
		{"go1.26-arm64 crypto/tls.(*Conn).Write", 3, Site{Delta: 16, Cost: SingleStepped}},
		{"gcc12-x86-cet plain", 3, Site{Delta: 0x1a, Cost: Emulated}},
		{"gcc12-x86-cet protected", 3, Site{Delta: 4, Cost: Emulated, AtCall: true}}, // push behind endbr64
		{"gcc12-arm64 plain", 3, Site{Delta: 4, Cost: Emulated, AtCall: true}},       // adrp behind bti
	} {
		t.Run(tt.function, func(t *testing.T) {
			fn, ok := code[tt.function]
			require.True(t, ok)
			site, err := fn.Entry(modern, fn.Arguments(tt.arguments)...)
			require.NoError(t, err)
			require.Equal(t, tt.want.Delta, int(site.Offset))
			site.Offset = 0
			require.Equal(t, tt.want, site)
		})
	}
}

func TestReturns(t *testing.T) {
	code := realCode(t)
	for _, tt := range []struct {
		function string
		want     []Site
	}{
		// The jump of the stack check: all ways come by, with the result in place.
		{"libssl-3.0.19-debian12 SSL_read", []Site{{Delta: 0x38, Cost: Emulated}}},
		{"libssl-3.0.19-debian12 SSL_write", []Site{{Delta: 0x38, Cost: Emulated}}},
		// Nothing but register arithmetic between the call and the return.
		{"libssl-3.0.19-debian12 SSL_read_ex", []Site{{Delta: 28, Cost: SingleStepped}}},
		{"gcc12-x86-cet plain", []Site{{Delta: 0x3c, Cost: Emulated}}},
		{"gcc12-x86-cet protected", []Site{{Delta: 0x64, Cost: Emulated}}},
		// Where returns are emulated themselves, each is a site.
		{"gcc12-arm64 wrapper", []Site{{Delta: 32, Cost: Emulated}}},
		{"gcc12-arm64 protected", []Site{{Delta: 128, Cost: Emulated}}},
	} {
		t.Run(tt.function, func(t *testing.T) {
			fn, ok := code[tt.function]
			require.True(t, ok)
			sites, err := fn.Returns(modern)
			require.NoError(t, err)
			for i := range sites {
				require.Equal(t, sites[i].Delta, int(sites[i].Offset))
				sites[i].Offset = 0
			}
			require.Equal(t, tt.want, sites)
		})
	}
}

func TestReturnsRefused(t *testing.T) {
	code := realCode(t)
	for function, why := range map[string]string{
		"libgnutls-3.7.9-debian12 gnutls_record_send": "at +0x5 it goes on in another function",
		"libssl-3.0.19-debian12 SSL_do_handshake":     "at +0x6e it goes on in another function",
	} {
		_, err := code[function].Returns(modern)
		require.ErrorIs(t, err, ErrNoSite)
		require.ErrorContains(t, err, why)
	}
}

// assembled makes a function of instructions of x86-64.
func assembled(parts ...string) Function {
	code, err := hex.DecodeString(strings.ReplaceAll(strings.Join(parts, ""), " ", ""))
	if err != nil {
		panic(err)
	}
	return Function{Name: "f", Code: code}
}

func TestEntryRules(t *testing.T) {
	for _, tt := range []struct {
		name string
		fn   Function
		live []Register
		want Site
		err  string
	}{
		{"an argument changes first", assembled("89 d6" /* mov esi,edx */, "90", "c3"), []Register{RSI}, Site{Offset: 0, Delta: 0, Cost: SingleStepped, AtCall: true}, ""},
		{"another register changes", assembled("89 d1" /* mov ecx,edx */, "90", "c3"), []Register{RSI}, Site{Offset: 2, Delta: 2, Cost: Emulated, AtCall: true}, ""},
		{"its low byte changes", assembled("b2 01" /* mov dl,1 */, "90", "c3"), []Register{RDX}, Site{Cost: SingleStepped, AtCall: true}, ""},
		{"nop of five bytes", assembled("0f 1f 44 00 00", "90", "c3"), nil, Site{Cost: Trampoline, AtCall: true}, ""},
		{"behind push", assembled("48 89 c3", "53" /* push rbx */, "0f 1f 44 00 00", "c3"), nil, Site{Offset: 4, Delta: 4, Cost: Trampoline}, ""},
		{"a loop around the first", assembled("ff c8" /* dec eax */, "75 fc" /* jne back */, "90", "c3"), nil, Site{Offset: 4, Delta: 4, Cost: Emulated, AtCall: false}, ""},
		{"a loop around all of it", assembled("ff c8", "eb fc"), nil, Site{}, "no site for the entry of f"},
		{"a return before it", assembled("48 89 c0", "74 01" /* je */, "c3", "90", "c3"), nil, Site{Offset: 3, Delta: 3, Cost: Emulated, AtCall: true}, ""},
		{"no code", assembled("06 06"), nil, Site{}, "no site"},
		{"a call with a prefix that the kernel refuses", assembled("66 e8 00 00 00 00", "c3"), []Register{RDI}, Site{Cost: SingleStepped, AtCall: true}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			site, err := tt.fn.Entry(modern, tt.live...)
			if tt.err != "" {
				require.ErrorIs(t, err, ErrNoSite)
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, site)
		})
	}
}

func TestTrampolinesAreDearOnOlderKernels(t *testing.T) {
	fn := assembled("0f 1f 44 00 00", "55" /* push rbp */, "c3")
	site, err := fn.Entry(Kernel{})
	require.NoError(t, err)
	require.Equal(t, Site{Offset: 5, Delta: 5, Cost: Emulated, AtCall: true}, site)
}

func TestReturnsFollowTheResult(t *testing.T) {
	for _, tt := range []struct {
		name string
		fn   Function
		want []Site
	}{
		{"in another register", assembled(
			"53",             // push rbx
			"e8 10 00 00 00", // call
			"89 c3",          // mov ebx,eax
			"e8 10 00 00 00", // call of something whose result is dropped
			"89 d8",          // mov eax,ebx
			"5b", "c3",
		), []Site{{Offset: 8, Delta: 8, Cost: Emulated, Result: RBX}}},
		{"two ends, one cheap", assembled(
			"53",       // push rbx
			"85 ff",    // test edi,edi
			"74 08",    // je to the second end
			"31 c0",    // xor eax,eax
			"5b", "c3", // pop, ret
			"90 90 90 90",    // not reached
			"e8 10 00 00 00", // call
			"90",             // nop
			"5b", "c3",
		), []Site{{Offset: 8, Delta: 8, Cost: SingleStepped}, {Offset: 18, Delta: 18, Cost: Emulated}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sites, err := tt.fn.Returns(modern)
			require.NoError(t, err)
			require.Equal(t, tt.want, sites)
		})
	}
}

// FuzzSites: arbitrary bytes are analysed in bounded time, without a panic,
// and a site lies in the code.
func FuzzSites(f *testing.F) {
	for _, fn := range realCode(f) {
		f.Add(fn.Code, fn.arch == ARM64, fn.goABI)
	}
	f.Fuzz(func(t *testing.T, code []byte, arm, goABI bool) {
		if len(code) > maxCode {
			return
		}
		fn := Function{Name: "f", Code: code, goABI: goABI}
		if arm {
			fn.arch = ARM64
		}
		if site, err := fn.Entry(modern, fn.Arguments(3)...); err == nil {
			require.Less(t, site.Delta, len(code))
		}
		sites, err := fn.Returns(modern)
		if err == nil {
			require.NotEmpty(t, sites)
		}
	})
}
