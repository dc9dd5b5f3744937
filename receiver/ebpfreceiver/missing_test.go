//go:build linux && (amd64 || arm64)

package ebpfreceiver

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/sightglass/sightglass/internal/privileges"
)

func TestAbsentPrivilegesAreTold(t *testing.T) {
	for held, want := range map[privileges.Set][]string{
		0x000000c000080004: nil,
		0x000000c000000004: {"CAP_SYS_PTRACE"},
		0:                  {"CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"},
	} {
		core, logs := observer.New(zap.WarnLevel)
		tellAbsent(held, zap.New(core))
		var told []string
		for _, line := range logs.All() {
			told = append(told, line.ContextMap()["privilege"].(string))
		}
		require.Equal(t, want, told)
	}
}
