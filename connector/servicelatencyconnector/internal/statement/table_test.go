package statement

import (
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector/internal/aggregate"
	"github.com/sightglass/sightglass/internal/alloctest"
)

func execution(side Side, text string, ns uint64) *Seen {
	seen := &Seen{Side: side, System: "postgresql", Text: []byte(text)}
	seen.Sample.Set(ns)
	seen.Sample.Exemplar.Time = ns
	return seen
}

func texts(s *Service) (out []string) {
	for _, st := range s.Statements {
		out = append(out, fmt.Sprint(st.Rank, " ", st.Text))
	}
	return out
}

func TestTableAddsUpExecutions(t *testing.T) {
	table := NewTable(100)
	var buf []byte
	for i := range uint64(100) {
		seen := execution(Client, "SELECT ?", i*1e6)
		seen.Failed = i%10 == 0
		buf = table.Record([]byte("id"), seen, buf)
	}
	got := table.Take(5)
	require.Len(t, got, 1)
	require.Equal(t, "id", got[0].Identity)
	st := got[0].Statements[0]
	require.Equal(t, "SELECT ?", st.Text)
	require.EqualValues(t, 100, st.Durations.Count())
	require.EqualValues(t, 10, st.Failed)
	require.InDelta(t, 4.95, st.Durations.Sum(), 1e-9)
	require.InEpsilon(t, 0.095, st.Durations.Quantile(0.95), 0.05)
	require.EqualValues(t, 99_000_000, st.Worst.Value)
	require.EqualValues(t, 99_000_000, st.Worst.Time, "the worst execution is the slowest")
	require.Empty(t, table.Take(5), "an interval begins anew")
}

// TestWorstOfEquals: of the slowest executions the first stays, and one that took no
// measurable time has an exemplar as well.
func TestWorstOfEquals(t *testing.T) {
	table := NewTable(100)
	for i, ns := range []uint64{0, 7, 7, 3} {
		seen := execution(Client, "SELECT ?", ns)
		seen.Sample.Exemplar.Time = uint64(i + 1)
		table.Record([]byte("id"), seen, nil)
		if i == 0 {
			require.EqualValues(t, 1, table.services["id"].Statements[0].Worst.Time)
		}
	}
	require.EqualValues(t, 2, table.Take(5)[0].Statements[0].Worst.Time)
}

func TestTableTellsStatementsApart(t *testing.T) {
	table := NewTable(100)
	base := Seen{System: "postgresql", Namespace: "shop", Summary: "SELECT", Peer: "db", Text: []byte("SELECT ?")}
	variants := []func(*Seen){
		func(*Seen) {},
		func(s *Seen) { s.System = "mysql" },
		func(s *Seen) { s.Namespace = "other" },
		func(s *Seen) { s.Summary = "other" },
		func(s *Seen) { s.Peer = "other" },
		func(s *Seen) { s.Text = []byte("other") },
	}
	for range 3 {
		for _, change := range variants {
			seen := base
			change(&seen)
			table.Record([]byte("id"), &seen, nil)
		}
	}
	got := table.Take(100)[0].Statements
	require.Len(t, got, len(variants))
	for _, st := range got {
		require.EqualValues(t, 3, st.Durations.Count())
	}
}

func TestTakeChoosesByTimeCountAndPercentile(t *testing.T) {
	table := NewTable(100)
	record := func(text string, n int, ns uint64) {
		for range n {
			table.Record([]byte("id"), execution(Client, text, ns), nil)
		}
	}
	record("total", 50, 1e9)
	record("frequent", 1000, 1e3)
	record("slow", 1, 9e9)
	for i := range 10 {
		record("middling"+strconv.Itoa(i), 10, uint64(1e8+i))
	}
	require.Equal(t, []string{"1 total", "2 slow", "13 frequent"}, texts(table.Take(1)[0]))
}

func TestServersAreHeardWhereNoClientIs(t *testing.T) {
	table := NewTable(100)
	table.Record([]byte("shop"), execution(Client, "both", 1e6), nil)
	table.Record([]byte("postgres"), execution(Server, "both", 1e6), nil)
	table.Record([]byte("postgres"), execution(Server, "alone", 1e6), nil)
	table.Record([]byte("replica"), execution(Server, "both", 1e6), nil)
	got := table.Take(10)
	require.Len(t, got, 2)
	require.Equal(t, []string{"1 alone"}, texts(got[0]))
	require.Equal(t, []string{"1 both"}, texts(got[1]))
	require.Equal(t, "server", got[0].Statements[0].Side.String())
	require.Equal(t, "client", got[1].Statements[0].Side.String())
}

func TestTableIsBounded(t *testing.T) {
	table := NewTable(5)
	total := 0
	for i := range 50 {
		identity := aggregate.AppendNamed(nil, "service.name", aggregate.IntValue(int64(i%7)))
		table.Record(identity, execution(Side(i%2), "SELECT "+strconv.Itoa(i), 1), nil)
		total++
	}
	var count, statements uint64
	services := table.Take(100)
	require.Len(t, services, 6, "five and the one for all others")
	for _, s := range services {
		for _, st := range s.Statements {
			count += st.Durations.Count()
			if !st.Rest {
				statements++
			} else {
				require.Empty(t, st.Text)
			}
		}
	}
	require.EqualValues(t, total, count, "nothing is lost")
	require.EqualValues(t, 5, statements)
}

func TestTableIsSafeForConcurrentUse(t *testing.T) {
	table := NewTable(100)
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			var buf []byte
			for i := range 1000 {
				buf = table.Record([]byte("id"), execution(Client, strconv.Itoa((w+i)%10), 1), buf)
			}
		})
	}
	var count uint64
	add := func() {
		for _, s := range table.Take(100) {
			for _, st := range s.Statements {
				count += st.Durations.Count()
			}
		}
	}
	for range 20 {
		add()
	}
	wg.Wait()
	add()
	require.EqualValues(t, 4000, count)
}

func TestRecordingKnownStatementsDoesNotAllocate(t *testing.T) {
	table := NewTable(100)
	seen := execution(Client, "SELECT ?", 5e6)
	buf := table.Record([]byte("id"), seen, nil)
	require.Zero(t, alloctest.PerRun(100, func() { buf = table.Record([]byte("id"), seen, buf) }))
}
