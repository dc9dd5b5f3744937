package encryption

import (
	"time"

	"github.com/sightglass/sightglass/internal/probesite"
)

// Calibrate says what the running kernel can do, and what it asks for it.
func Calibrate() (probesite.Kernel, Prices) {
	of := map[probesite.Cost]time.Duration{
		probesite.Trampoline: 300 * time.Nanosecond, probesite.Emulated: 600 * time.Nanosecond, probesite.SingleStepped: 20 * time.Microsecond,
	}
	return probesite.Kernel{}, Prices{Of: func(c probesite.Cost) time.Duration { return of[c] }, Return: time.Microsecond}
}
