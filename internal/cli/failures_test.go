package cli

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

const refused = `[core] [Channel #1 SubChannel #4] grpc: addrConn.createTransport failed to connect to {Addr: "127.0.0.1:4317", ServerName: "localhost:4317", }. ` +
	`Err: connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:4317: connect: connection refused"`

// failing is a log beneath tellFailuresOnce, with the logger of an exporter.
func failing(level zapcore.Level) (log, exporter *zap.Logger, told *observer.ObservedLogs) {
	core, told := observer.New(level)
	log = zap.New(core).WithOptions(tellFailuresOnce(time.Minute))
	return log, log.With(zap.String(componentField, "otlp_grpc"), zap.String(signalField, "logs")), told
}

func TestNoConnectionIsToldOncePerPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, _, told := failing(zap.WarnLevel)
		for range 90 { // seconds
			log.Warn(refused)
			log.Warn("another")
			time.Sleep(999 * time.Millisecond)
		}
		require.Equal(t, 90, told.FilterMessage("another").Len())
		lines := told.FilterMessageSnippet("connect").All()
		require.Len(t, lines, 2)
		require.Equal(t, `No connection to 127.0.0.1:4317, which is tried again: connection error: desc = "transport: Error while dialing: `+
			`dial tcp 127.0.0.1:4317: connect: connection refused"`, lines[0].Message)
		require.Empty(t, lines[0].Context)
		require.Equal(t, map[string]any{timesField: int64(60)}, lines[1].ContextMap())
		time.Sleep(time.Hour) // it works again
		log.Warn(refused)
		lines = told.FilterMessageSnippet("connect").All()
		require.Len(t, lines, 4)
		require.Equal(t, map[string]any{timesField: int64(29)}, lines[2].ContextMap())
		require.Empty(t, lines[3].Context)
		time.Sleep(time.Hour)
		require.Equal(t, 4, told.FilterMessageSnippet("connect").Len())
	})
}

// No dropped item goes untold, those of the last second either.
func TestDroppedItemsAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, exporter, told := failing(zap.InfoLevel)
		traces := log.With(zap.String(componentField, "otlp_grpc"), zap.String(signalField, "traces"))
		for i := range 150 {
			exporter.Error("Exporting failed. Dropping data.", zap.Int(droppedField, i))
			exporter.Info("Exporting failed. Will retry the request after interval.", zap.String("error", "no"))
			time.Sleep(999 * time.Millisecond)
		}
		traces.Error("Exporting failed. Dropping data.", zap.Int(droppedField, 7))
		traces.Error("Exporting failed. Dropping data.", zap.Int(droppedField, 8))
		log.Info(hasEnded)
		sum, times := int64(0), int64(0)
		for _, line := range told.FilterMessage("Exporting failed. Dropping data.").All() {
			fields := line.ContextMap()
			sum += fields[droppedField].(int64)
			if n, ok := fields[timesField]; ok {
				times += n.(int64)
			} else {
				times++
			}
		}
		require.EqualValues(t, 149*150/2+15, sum)
		require.EqualValues(t, 152, times)
		require.Equal(t, 4+2, told.FilterMessage("Exporting failed. Dropping data.").Len())
		retries := told.FilterMessageSnippet("retry").All()
		require.Len(t, retries, 4)
		require.NotContains(t, retries[1].ContextMap(), droppedField)
		require.Equal(t, hasEnded, told.All()[told.Len()-1].Message)
	})
}

// A full queue rejects batch after batch: they add up as well.
func TestRejectedItemsAddUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, exporter, told := failing(zap.InfoLevel)
		for range 4 {
			exporter.Error("Exporting failed. Rejecting data.", zap.Int(rejectedField, 5))
		}
		time.Sleep(time.Hour)
		lines := told.All()
		require.Len(t, lines, 2)
		require.EqualValues(t, 5, lines[0].ContextMap()[rejectedField])
		require.EqualValues(t, 15, lines[1].ContextMap()[rejectedField])
		require.EqualValues(t, 3, lines[1].ContextMap()[timesField])
	})
}

func TestFailuresAndLevels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, exporter, told := failing(zap.DebugLevel)
		exporter.Warn(refused)
		exporter.Warn(refused)
		require.Equal(t, []string{refused, refused}, []string{told.All()[0].Message, told.All()[1].Message})
		_, exporter, told = failing(zap.WarnLevel)
		exporter.Info("Exporting failed. Will retry the request after interval.")
		require.Zero(t, told.Len())
	})
}
