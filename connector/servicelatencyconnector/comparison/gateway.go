package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/sightglass/sightglass/connector/servicelatencyconnector"
)

// Gateway is what merging the deltas of many agents costs, each of which sends
// the same series once per interval.
type Gateway struct {
	Agents          int     `json:"agents"`
	Series          int     `json:"series"` // of an agent
	Nanoseconds     float64 `json:"nanoseconds"`
	WireBytes       float64 `json:"wire_bytes"`        // of a data point, uncompressed
	BytesPerStream  float64 `json:"bytes_per_stream"`  // of heap per agent and series
	BucketsPerPoint float64 `json:"buckets_per_point"` // mean
}

const (
	simulatedAgents = 200
	agentInterval   = 10 * time.Second
)

// keeper keeps the last metrics that came.
type keeper struct{ last chan pmetric.Metrics }

func (*keeper) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (k *keeper) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	select {
	case k.last <- md:
	default:
	}
	return nil
}

// agentMetrics is what one agent sends in an interval: 400 series with a hundred
// requests each.
func agentMetrics() (pmetric.Metrics, error) {
	next := &keeper{make(chan pmetric.Metrics, 1)}
	c := contenders("1h", "delta")[0]
	started, err := c.start(next)
	if err != nil {
		return pmetric.Metrics{}, err
	}
	f := newFleet(fewOperations)
	if err := f.feed(started, 10*f.round()); err != nil {
		return pmetric.Metrics{}, err
	}
	stop(started) // flushes
	return <-next.last, nil
}

// measureGateway takes the CPU time of decoding and merging a data point, with
// the flush of what was merged, and the heap that remembering the agents takes.
func measureGateway(rounds int) (*Gateway, error) {
	md, err := agentMetrics()
	if err != nil {
		return nil, err
	}
	g := &Gateway{Agents: simulatedAgents, Series: md.DataPointCount(), BucketsPerPoint: bucketsPerPoint(md)}
	factory := servicelatencyconnector.NewFactory()
	cfg := factory.CreateDefaultConfig().(*servicelatencyconnector.Config)
	cfg.FlushInterval = 500 * time.Millisecond
	set := connectortest.NewNopSettings(factory.Type())
	set.ID = component.NewID(factory.Type())
	gateway, err := factory.CreateMetricsToMetrics(context.Background(), set, cfg, new(sink))
	if err != nil {
		return nil, err
	}
	if err := gateway.Start(context.Background(), componenttest.NewNopHost()); err != nil {
		return nil, err
	}
	defer func() { _ = gateway.Shutdown(context.Background()) }()

	var spent []float64
	before := heap()
	for round := range rounds + 1 {
		messages, err := messagesOf(md, round)
		if err != nil {
			return nil, err
		}
		runtime.GC()
		begin := cpuTime()
		for _, m := range messages {
			if err := receive(gateway, m); err != nil {
				return nil, err
			}
		}
		if round > 0 { // the first creates everything
			spent = append(spent, float64(cpuTime()-begin)/float64(simulatedAgents*g.Series))
		}
		g.WireBytes = float64(len(messages[0])) / float64(g.Series)
	}
	g.Nanoseconds = median(spent)
	g.BytesPerStream = float64(heap()-before) / float64(simulatedAgents*g.Series)
	progress("gateway: %.0f ns, %.0f bytes on the wire, %.0f bytes held", g.Nanoseconds, g.WireBytes, g.BytesPerStream)
	return g, nil
}

func receive(to consumer.Metrics, message []byte) error {
	md, err := new(pmetric.ProtoUnmarshaler).UnmarshalMetrics(message)
	if err != nil {
		return err
	}
	return to.ConsumeMetrics(context.Background(), md)
}

// messagesOf are what all agents send in the n-th interval.
func messagesOf(md pmetric.Metrics, n int) ([][]byte, error) {
	begin := time.Unix(1_700_000_000, 0).Add(time.Duration(n) * agentInterval)
	start, end := pcommon.NewTimestampFromTime(begin), pcommon.NewTimestampFromTime(begin.Add(agentInterval))
	var messages [][]byte
	for agent := range simulatedAgents {
		for _, rm := range md.ResourceMetrics().All() {
			rm.Resource().Attributes().PutStr("host.id", fmt.Sprint("host-", agent))
			rm.Resource().Attributes().PutStr("sightglass.writer.id", fmt.Sprintf("%032d", agent))
			eachPoint(rm, func(p pmetric.ExponentialHistogramDataPoint) {
				p.SetStartTimestamp(start)
				p.SetTimestamp(end)
			})
		}
		message, err := new(pmetric.ProtoMarshaler).MarshalMetrics(md)
		if err != nil {
			return nil, err
		}
		messages = append(messages, message)
	}
	return messages, nil
}

func eachPoint(rm pmetric.ResourceMetrics, do func(pmetric.ExponentialHistogramDataPoint)) {
	for _, sm := range rm.ScopeMetrics().All() {
		for _, m := range sm.Metrics().All() {
			for _, p := range m.ExponentialHistogram().DataPoints().All() {
				do(p)
			}
		}
	}
}

func bucketsPerPoint(md pmetric.Metrics) float64 {
	buckets := 0
	for _, rm := range md.ResourceMetrics().All() {
		eachPoint(rm, func(p pmetric.ExponentialHistogramDataPoint) { buckets += p.Positive().BucketCounts().Len() })
	}
	return float64(buckets) / float64(md.DataPointCount())
}
