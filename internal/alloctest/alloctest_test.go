package alloctest

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

var sink []byte

func TestPerRun(t *testing.T) {
	require.Zero(t, PerRun(10, func() {}))
	require.Equal(t, 1, int(PerRun(10, func() { sink = make([]byte, 100) })))
}

// What another goroutine allocates while one measurement lasts is not f's.
func TestPerRunAmongOthers(t *testing.T) {
	others := 3 // measurements
	calls := 0
	require.Zero(t, PerRun(10, func() {
		calls++
		if calls > 11*others {
			return
		}
		done := make(chan struct{})
		go func() {
			sink = make([]byte, 100)
			close(done)
		}()
		<-done
	}))
	runtime.KeepAlive(sink)
}
