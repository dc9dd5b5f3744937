package record

import "golang.org/x/sys/unix"

// bootTime is the wall-clock time of the boot, ns since 1970; 0 when the
// clocks cannot be read.
func bootTime() int64 {
	var wall, boot unix.Timespec
	if unix.ClockGettime(unix.CLOCK_REALTIME, &wall) != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot) != nil {
		return 0
	}
	return wall.Nano() - boot.Nano()
}
