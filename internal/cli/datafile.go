package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	defaultDataDir = "/var/log/sightglass"
	// maxInstances is how many agents may write to one folder at a time, each
	// to a file of its own.
	maxInstances = 8
)

func (o *runOptions) dataFolder(getenv func(string) string) string {
	return cmp.Or(o.dataDir, getenv("SIGHTGLASS_DATA_DIR"), defaultDataDir)
}

var errTooMany = fmt.Errorf("%d agents write there already", maxInstances)

// claimDataFile finds a file in dir that no other running agent writes to, so
// that two do not rotate each other's away. The claim ends with release, or
// with the process, however that ends. The folder is made if need be, for its
// owner only: command lines can hold secrets.
func claimDataFile(dir string) (path string, release func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", nil, err
	}
	for i := 1; i <= maxInstances; i++ {
		name := "telemetry.json"
		if i > 1 {
			name = fmt.Sprintf("telemetry-%d.json", i)
		}
		lock, err := lockFile(filepath.Join(dir, "."+name+".lock"))
		switch {
		case err == nil:
			return filepath.Join(dir, name), func() { _ = lock.Close() }, nil
		case !errors.Is(err, unix.EWOULDBLOCK):
			return "", nil, err
		}
	}
	return "", nil, fmt.Errorf("%s: %w", dir, errTooMany)
}

// lockFile opens path and locks it; the lock ends when the file is closed.
func lockFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return file, nil
}
