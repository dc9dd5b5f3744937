//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/encryption"
	"github.com/sightglass/sightglass/internal/process"
)

// newFinder returns what looks for libraries that encrypt, nil when that is
// switched off.
func newFinder(cfg *Config, k kernel, log *zap.Logger) *encryption.Finder {
	if !cfg.Requests.TLS.Enabled {
		return nil
	}
	c := encryption.Config{Proc: process.ProcDir(cfg.RootPath), Root: cfg.RootPath, Log: log}
	var err error
	c.Kernel, c.Prices, err = encryption.Calibrate()
	if err != nil {
		log.Debug("What probes cost is assumed, not measured.", zap.Error(err))
	}
	c.MaxCPU = cfg.Requests.TLS.MaxCPU
	c.Prices.Most = cfg.Requests.TLS.MaxProbeCost
	return encryption.New(c, k)
}
