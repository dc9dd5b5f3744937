package policy

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// maxFile is how long a rule file may be, in bytes: Falco's own have 64 KiB.
const maxFile = 32 << 20

// ReadFile reads a rule file. That it cannot be read is told by Load, like any
// other finding about it, with the file's name before it.
func ReadFile(path string) File {
	content, err := readFile(path)
	if named, ok := errors.AsType[*fs.PathError](err); ok {
		err = named.Err
	}
	return File{Name: path, Content: content, Err: err}
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(content) > maxFile {
		return nil, fmt.Errorf("a rule file has at most %d MiB", maxFile>>20)
	}
	return content, nil
}
