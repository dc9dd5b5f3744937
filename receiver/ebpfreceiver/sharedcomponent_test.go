package ebpfreceiver

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// countingComponent counts its calls and reports a status in Start.
type countingComponent struct {
	starts, stops int
	startErr      error
	host          component.Host
}

func (c *countingComponent) Start(_ context.Context, host component.Host) error {
	c.starts++
	c.host = host
	componentstatus.ReportStatus(host, componentstatus.NewRecoverableErrorEvent(errors.New("one hook")))
	return c.startErr
}

func (c *countingComponent) Shutdown(context.Context) error {
	c.stops++
	return errors.New("from shutdown")
}

// listeningHost hears status events.
type listeningHost struct{ heard []*componentstatus.Event }

func (*listeningHost) GetExtensions() map[component.ID]component.Component {
	return map[component.ID]component.Component{component.MustNewID("x"): nil}
}
func (h *listeningHost) Report(ev *componentstatus.Event) { h.heard = append(h.heard, ev) }

func TestSharedReceiver(t *testing.T) {
	var all sharedReceivers
	inner := &countingComponent{startErr: errors.New("from start")}
	made := 0
	build := func() (component.Component, error) { made++; return inner, nil }
	cfg, other := new(Config), new(Config)

	a, err := all.get(cfg, build)
	require.NoError(t, err)
	b, err := all.get(cfg, build)
	require.NoError(t, err)
	require.Same(t, a, b)
	_, err = all.get(other, build)
	require.NoError(t, err)
	require.Equal(t, 2, made, "equal configurations are not the same configuration")

	first, second := &listeningHost{}, &listeningHost{}
	require.EqualError(t, a.Start(t.Context(), first), "from start")
	require.EqualError(t, b.Start(t.Context(), second), "from start")
	require.Equal(t, 1, inner.starts)
	require.Len(t, first.heard, 1)
	require.Len(t, second.heard, 1, "what was reported before is told again")
	componentstatus.ReportStatus(inner.host, componentstatus.NewPermanentErrorEvent(errors.New("two")))
	require.Len(t, first.heard, 2)
	require.Len(t, second.heard, 2)
	require.Len(t, inner.host.GetExtensions(), 1)

	require.EqualError(t, a.Shutdown(t.Context()), "from shutdown")
	require.EqualError(t, b.Shutdown(t.Context()), "from shutdown")
	require.Equal(t, 1, inner.stops)
	require.Len(t, all.all, 1, "nothing is left of the first")

	_, err = all.get(cfg, build)
	require.NoError(t, err)
	require.Equal(t, 3, made)
	a.forget() // as Shutdown did
	require.Len(t, all.all, 2, "the old one does not take the new one away")
}

func TestSharedReceiverThatCannotBeMade(t *testing.T) {
	var all sharedReceivers
	_, err := all.get(new(Config), func() (component.Component, error) { return nil, errors.New("no") })
	require.Error(t, err)
	require.Empty(t, all.all)
	require.Nil(t, (&statusHost{}).GetExtensions())
}
