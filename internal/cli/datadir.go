package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	defaultDataDir = "/var/log/sightglass"
	// maxInstances is how many agents may write to one folder at a time, all
	// but the first to a folder of their own in it.
	maxInstances = 8
	// ownerOnly is the umask of files whose command lines can hold secrets: a
	// folder that was there already may be open to everybody.
	ownerOnly = 0o077
)

func (o *runOptions) dataFolder(getenv func(string) string) string {
	return cmp.Or(o.dataDir, getenv("SIGHTGLASS_DATA_DIR"), defaultDataDir)
}

var errTooMany = fmt.Errorf("%d agents write there already", maxInstances)

// claimDataDir finds a folder, base or one in it, that no other running agent
// writes to, so that two do not rotate each other's files away. The claim ends
// with release, or with the process, however that ends. The folder is made if
// need be, for its owner only: command lines can hold secrets.
func claimDataDir(base string) (dir string, release func(), err error) {
	for i := 1; i <= maxInstances; i++ {
		dir := base
		if i > 1 {
			dir = filepath.Join(base, strconv.Itoa(i))
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return "", nil, err
		}
		lock, err := lockFile(filepath.Join(dir, ".lock"))
		switch {
		case err == nil:
			return dir, func() { _ = lock.Close() }, nil
		case !errors.Is(err, unix.EWOULDBLOCK):
			return "", nil, err
		}
	}
	return "", nil, fmt.Errorf("%s: %w", base, errTooMany)
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
