package cli

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"go.opentelemetry.io/collector/pdata/plog"
)

// recordings reads log records in OTLP JSON from files as the file exporter
// writes, rotates and leaves them.
type recordings struct {
	notes io.Writer
	take  func(plog.Logs) error

	read bool // something of the present file
}

var errNoRecordings = errors.New("has no logs*.json")

// expand puts in place of a folder the log files in it, the oldest first: the
// name of a rotated file goes on with its time before the extension.
func expand(names []string) ([]string, error) {
	var out []string
	for _, name := range names {
		info, err := os.Stat(name)
		if name == "-" || err != nil || !info.IsDir() {
			out = append(out, name)
			continue
		}
		var files []string
		for _, pattern := range []string{"logs*.json", "logs*.json.gz"} {
			matches, err := filepath.Glob(filepath.Join(name, pattern))
			if err != nil {
				return nil, err
			}
			files = append(files, matches...)
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("%s: %w", name, errNoRecordings)
		}
		slices.Sort(files)
		out = append(out, files...)
	}
	return out, nil
}

// file reads one file; "-" is stdin.
func (r *recordings) file(name string, stdin io.Reader) error {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	buffered := bufio.NewReader(in)
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return err
		}
		return r.values(unzipped)
	}
	return r.values(buffered)
}

// values takes JSON values one by one, whether each is on a line of its own or
// spread over many. A line that an agent could not finish is passed over.
func (r *recordings) values(in io.Reader) error {
	dec := json.NewDecoder(in)
	r.read = false
	for {
		var raw json.RawMessage
		err := dec.Decode(&raw)
		var syntax *json.SyntaxError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, io.ErrUnexpectedEOF):
			_, err = io.WriteString(r.notes, "the last record is cut off; it may still be being written\n")
			return err
		case r.read && errors.As(err, &syntax):
			rest := bufio.NewReader(io.MultiReader(dec.Buffered(), in))
			if err := r.skipLine(rest); err != nil {
				return err
			}
			in, dec = rest, json.NewDecoder(rest)
			continue
		case err != nil:
			return fmt.Errorf("at byte %d: %w", dec.InputOffset(), err)
		}
		if err := r.value(raw); err != nil {
			return fmt.Errorf("before byte %d: %w", dec.InputOffset(), err)
		}
	}
}

// skipLine passes over what is left of a line, after the line break that may
// still precede it.
func (r *recordings) skipLine(in *bufio.Reader) error {
	for skipped := false; !skipped; {
		line, err := in.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		skipped = len(bytes.TrimSpace(line)) > 0 || err != nil
	}
	_, err := io.WriteString(r.notes, "a damaged line was passed over\n")
	return err
}

func (r *recordings) value(raw json.RawMessage) error {
	ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(raw)
	if err != nil {
		return fmt.Errorf("not OTLP JSON: %w", err)
	}
	r.read = true
	return r.take(ld)
}
