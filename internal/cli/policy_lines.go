package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// answerLines reads one JSON object per line and writes the answer to each as
// one JSON object per line, in order. Blank lines are skipped. Every line gets
// an answer: answer itself reports what is wrong with its question.
func answerLines(in io.Reader, out io.Writer, answer func(line []byte) any) error {
	r := bufio.NewReader(in)
	w := bufio.NewWriter(out)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for {
		line, err := r.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 {
			if err := enc.Encode(answer(line)); err != nil {
				return err
			}
			// Who asks through a pipe waits for the answer, unless more
			// questions are here already.
			if r.Buffered() == 0 {
				if err := w.Flush(); err != nil {
					return err
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return w.Flush()
		}
		if err != nil {
			return errors.Join(err, w.Flush())
		}
	}
}

// standardInput takes no argument but -, which stands for what is read anyway.
func standardInput(cmd *cobra.Command, args []string) error {
	for _, arg := range args {
		if arg != "-" {
			return fmt.Errorf("%q: standard input is read, no file: %s < %s", arg, cmd.CommandPath(), arg)
		}
	}
	return nil
}

// newLinesCommand makes a command that reads standard input line by line.
func newLinesCommand(use, short, long string, answer func(line []byte) any) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Long:  long,
		Args:  standardInput,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return answerLines(cmd.InOrStdin(), cmd.OutOrStdout(), answer)
		},
	}
}
