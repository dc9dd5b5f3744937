//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// The start waits until the capture has begun: until what runs is known and, where
// activity is followed, the kernel has been asked for it. It does not wait for ever,
// nor silently.
func TestStartWaitsForTheCapture(t *testing.T) {
	for name, tt := range map[string]struct {
		after, patience time.Duration // 0: never, and without bound
		activity, told  bool
		want            time.Duration
	}{
		"requests only": {after: time.Second, want: time.Second},
		"activity":      {after: time.Second, activity: true, want: time.Second},
		"too late":      {after: time.Minute, activity: true, want: maxBegin, told: true},
		"given up":      {patience: 2 * time.Second, want: 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				core, logs := observer.New(zapcore.WarnLevel)
				began := make(chan struct{})
				run := &running{log: zap.New(core), seeded: began}
				if tt.activity {
					run.seeded, run.interest = make(chan struct{}), &follower{began: began}
				}
				if tt.after > 0 {
					time.AfterFunc(tt.after, func() { close(began) })
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if tt.patience > 0 {
					time.AfterFunc(tt.patience, cancel)
				}
				start := time.Now()
				run.begin(ctx, maxBegin)
				require.Equal(t, tt.want, time.Since(start))
				require.Equal(t, tt.told, logs.Len() == 1)
				time.Sleep(time.Hour) // what is under way ends
			})
		})
	}
}
