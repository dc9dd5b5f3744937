package mysql

import (
	"testing"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
)

var benchQuery = dbtest.Exchange{Request: query("SELECT c FROM sbtest1 WHERE id = 4711"), Response: oneRow}

func BenchmarkQuery(b *testing.B) { dbtest.Bench(b, New(), benchQuery) }

func TestAllocations(t *testing.T) { dbtest.CheckAllocations(t, New(), benchQuery) }
