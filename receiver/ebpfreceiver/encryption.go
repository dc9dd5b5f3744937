//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"go.uber.org/zap"

	"github.com/sightglass/sightglass/internal/encryption"
	"github.com/sightglass/sightglass/internal/process"
)

// newFinder returns what looks for libraries that encrypt, nil when that is
// switched off. paused is as in encryption.Config.
func newFinder(cfg *Config, k kernel, paused func(pid uint32), log *zap.Logger) *encryption.Finder {
	if !cfg.Requests.TLS.Enabled {
		return nil
	}
	return encryption.New(encryption.Config{
		Proc: process.ProcDir(cfg.RootPath), Root: cfg.RootPath, Log: log,
		Prices: encryption.Prices{Most: cfg.Requests.TLS.MaxProbeCost}, MaxCPU: cfg.Requests.TLS.MaxCPU, Paused: paused,
	}, k)
}
