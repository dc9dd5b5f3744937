package memcached

import (
	"testing"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

var benchGet = dbtest.Exchange{Request: get, Response: hit}

func BenchmarkGet(b *testing.B) { dbtest.Bench(b, New(), benchGet) }

func TestAllocations(t *testing.T) { dbtest.CheckAllocations(t, New(), benchGet) }
