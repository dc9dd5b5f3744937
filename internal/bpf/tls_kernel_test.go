package bpf

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/event"
)

// Kernel TLS: the option that gives a socket keys, their layout (linux/tls.h) and
// the kinds of records.
const (
	solTLS           = 282
	tlsTX, tlsRX     = 1, 2
	tlsRecordType    = 1 // with a message that is sent
	tlsVersion13     = 0x0304
	tlsCipherGCM128  = 51
	tlsRecordWarning = 21
)

// tlsCryptoInfo is the kernel's struct tls12_crypto_info_aes_gcm_128.
type tlsCryptoInfo struct {
	version, cipher uint16
	iv              [8]byte
	key             [16]byte
	salt            [4]byte
	sequence        [8]byte
}

// noKernelTLS is the exit status of a helper whose kernel has none.
const noKernelTLS = 78

// giveKeys makes the kernel encrypt what two ends of a connection say. The keys are
// made up: no handshake is needed that would agree upon them.
func giveKeys(from, to int) error {
	keys := tlsCryptoInfo{version: tlsVersion13, cipher: tlsCipherGCM128, key: [16]byte{byte(from)}}
	text := string(unsafe.Slice((*byte)(unsafe.Pointer(&keys)), unsafe.Sizeof(keys)))
	return errors.Join(unix.SetsockoptString(from, solTLS, tlsTX, text), unix.SetsockoptString(to, solTLS, tlsRX, text))
}

// What both ends say before and after they have keys. The first is as a handshake
// is to the signatures.
const (
	kernelTLSHello   = "\x16\x03\x01\x00\x10 what clients say"
	kernelTLSRequest = "PING the kernel encrypts this"
	kernelTLSAnswer  = "PONG and this"
	kernelTLSFile    = "PONG from a file"
)

// talkKernelTLS says in plain text what a handshake would, turns to kernel TLS, and
// asks and answers then by most ways to move bytes.
func talkKernelTLS() error {
	client, server, err := connection()
	if err != nil {
		return err
	}
	for _, text := range []string{kernelTLSHello, kernelTLSHello} {
		if err := say(client, server, []byte(text)); err != nil {
			return err
		}
		client, server = server, client
	}
	for _, fd := range []int{client, server} {
		if err := unix.SetsockoptString(fd, unix.IPPROTO_TCP, unix.TCP_ULP, "tls"); err != nil {
			os.Exit(noKernelTLS)
		}
	}
	if err := errors.Join(giveKeys(client, server), giveKeys(server, client)); err != nil {
		return err
	}
	if err := say(client, server, []byte(kernelTLSRequest)); err != nil {
		return err
	}
	if err := warn(server, client); err != nil {
		return err
	}
	if err := say(server, client, []byte(kernelTLSAnswer)); err != nil {
		return err
	}
	if err := gather(client, server, []byte(kernelTLSRequest)); err != nil {
		return err
	}
	if err := send(server, client, []byte(kernelTLSFile)); err != nil {
		return err
	}
	return errors.Join(unix.Close(client), unix.Close(server))
}

// warn sends a record that holds no data, and receives it.
func warn(from, to int) error {
	text := []byte{1, 0}
	control := make([]byte, unix.CmsgSpace(1))
	header := (*unix.Cmsghdr)(unsafe.Pointer(&control[0]))
	header.Level, header.Type = solTLS, tlsRecordType
	header.SetLen(unix.CmsgLen(1))
	control[unix.CmsgLen(0)] = tlsRecordWarning
	if err := unix.Sendmsg(from, text, control, nil, 0); err != nil {
		return err
	}
	got := make([]byte, unix.CmsgSpace(1))
	n, _, _, _, err := unix.Recvmsg(to, make([]byte, 64), got, 0)
	if err != nil || n != len(text) {
		return fmt.Errorf("%d bytes of a warning received: %w", n, err)
	}
	if kind := got[unix.CmsgLen(0)]; kind != tlsRecordWarning {
		return fmt.Errorf("a record of kind %d came", kind)
	}
	return nil
}

// gather writes a text from two buffers, and receives it as a message.
func gather(from, to int, text []byte) error {
	if n, err := unix.Writev(from, [][]byte{text[:5], text[5:]}); err != nil || n != len(text) {
		return fmt.Errorf("%d bytes written: %w", n, err)
	}
	got := make([]byte, len(text))
	n, _, _, _, err := unix.Recvmsg(to, got, make([]byte, unix.CmsgSpace(1)), 0)
	if err != nil || !bytes.Equal(got[:n], text) {
		return fmt.Errorf("%q received: %w", got[:n], err)
	}
	return nil
}

// send has the kernel send a file.
func send(from, to int, text []byte) error {
	file, err := os.CreateTemp("", "file")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	if _, err := file.Write(text); err != nil {
		return err
	}
	start := int64(0)
	if n, err := unix.Sendfile(from, int(file.Fd()), &start, len(text)); err != nil || n != len(text) {
		return fmt.Errorf("%d bytes of a file sent: %w", n, err)
	}
	got := make([]byte, len(text))
	if n, err := unix.Read(to, got); err != nil || !bytes.Equal(got[:n], text) {
		return fmt.Errorf("%q of a file received: %w", got[:n], err)
	}
	return nil
}

// TestKernelTLS: what is said after the keys were given is told as the plain text of
// the connection, whole, without records that hold no data; what was said before is
// no part of it.
func TestKernelTLS(t *testing.T) {
	requireRoot(t)
	hello := startsWith(2, kernelTLSHello[:2], 64)
	asks, answers := startsWith(3, "PING", 64), startsWith(3, "PONG", 64)
	a, err := Load(Options{Requests: true, TLS: true, TLSClass: 2, Signatures: []event.Signature{hello, asks, answers}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	cmd := helper(t, "kerneltls")
	if err := cmd.Run(); cmd.ProcessState.ExitCode() == noKernelTLS {
		t.Skip("this kernel has no module tls")
	} else {
		require.NoError(t, err)
	}
	type half struct {
		role      event.Role
		direction event.Direction
		plain     bool
	}
	said := map[half]string{}
	moved := map[half]uint64{}
	for _, r := range drain(t, a, cmd.Process.Pid) {
		if r.Bytes == 0 {
			continue
		}
		key := half{r.Role, r.Direction, r.Flags&event.RequestTLS != 0}
		require.Equal(t, key.plain, r.Socket&event.TLSStream != 0)
		require.Zero(t, r.Flags&event.RequestMidway, "seen from the beginning")
		require.Equal(t, moved[key], r.Position, "nothing is left out")
		if r.Direction == event.Send {
			require.NotZero(t, r.Enter)
		}
		moved[key] += r.Bytes
		said[key] += string(r.Payload)
	}
	asked, answered := kernelTLSRequest+kernelTLSRequest, kernelTLSAnswer+kernelTLSFile
	require.Equal(t, map[half]string{
		{event.RoleClient, event.Send, false}: kernelTLSHello, {event.RoleServer, event.Receive, false}: kernelTLSHello,
		{event.RoleServer, event.Send, false}: kernelTLSHello, {event.RoleClient, event.Receive, false}: kernelTLSHello,
		{event.RoleClient, event.Send, true}: asked, {event.RoleServer, event.Receive, true}: asked,
		{event.RoleServer, event.Send, true}: kernelTLSAnswer, {event.RoleClient, event.Receive, true}: answered,
	}, said)
	require.EqualValues(t, len(answered), moved[half{event.RoleServer, event.Send, true}], "the kernel's own bytes count")
}
