package probesite

import (
	"crypto/tls"
	"os"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGoCopy(t *testing.T) {
	code := realCode(t)
	for _, tt := range []struct {
		version string
		memmove int64 // relative to the method
		want    int
	}{
		{"go1.21-amd64", -1265152, 516},
		{"go1.24-amd64", -1139744, 490},
		{"go1.26-amd64", -1171712, 526},
		{"go1.21-arm64", -954864, 504},
		{"go1.24-arm64", -863552, 492},
		{"go1.26.8-arm64", -840304, 500},
	} {
		t.Run(tt.version, func(t *testing.T) {
			fn := code[tt.version+" "+goTLSRead]
			require.NotEmpty(t, fn.Code)
			fn.Address = 0x800000
			site, err := fn.GoCopy(modern, uint64(0x800000+tt.memmove))
			require.NoError(t, err)
			require.Equal(t, Site{Offset: uint64(tt.want), Delta: tt.want, Cost: Emulated}, site)

			_, err = fn.GoCopy(modern, 0x1234)
			require.ErrorContains(t, err, "copies at 0 places")
			before := map[Arch]int{X86: 10, ARM64: 20}[fn.arch] // up to where the frame is made, it is not what it was
			fn.Code = fn.Code[before:]
			if fn.arch == X86 {
				fn.Code[0] = 0x90
			}
			_, err = fn.GoCopy(modern, uint64(0x800000+tt.memmove))
			require.ErrorContains(t, err, "receiver")
		})
	}
}

// TestGoTLSOfItself: this program has crypto/tls, and no symbol table.
func TestGoTLSOfItself(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("for the race detector the compiler has copies made by another function")
	}
	if os.Getpid() < 0 { // never; the linker keeps what is called
		var conn tls.Conn
		_, _ = conn.Read(nil)
		_, _ = conn.Write(nil)
	}
	self, err := os.Open("/proc/self/exe")
	require.NoError(t, err)
	defer func() { require.NoError(t, self.Close()) }()
	file, err := Open(self)
	require.NoError(t, err)
	places, err := file.GoTLS(modern)
	require.NoError(t, err)
	require.Equal(t, Emulated, places.Read.Cost)
	if file.Arch() == X86 { // on arm64 nothing that is emulated comes early enough
		require.Equal(t, Emulated, places.Write.Cost)
	}
	require.Positive(t, places.Write.Delta, "behind the check of the stack, which may run twice")
}
