//go:build !linux

package cli

import (
	"errors"
	"runtime"

	"github.com/sightglass/sightglass/internal/cli/doctor"
)

func kernelRelease() string { return "of " + runtime.GOOS }

func probe() ([]doctor.Check, []doctor.Hook, error) {
	return nil, nil, errors.New("the hooks are places in the kernel of Linux, and this is " + runtime.GOOS)
}
