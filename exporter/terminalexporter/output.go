package terminalexporter

import (
	"cmp"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/screen"
)

// What lines_per_second is by default: for a person, and for a program.
const (
	linesForPerson  = 10
	linesForProgram = 1000
)

// output is where to write, and how.
type output struct {
	io.Writer

	style          func() screen.Style // asked before each write: terminals change their width
	linesPerSecond int
}

func openOutput(cfg *Config) output {
	file := os.Stdout
	if cfg.Output == OutputStderr {
		file = os.Stderr
	}
	isTerminal := term.IsTerminal(int(file.Fd()))
	style := styleOf(cfg, isTerminal, os.Getenv)
	out := output{file, func() screen.Style { return style }, cmp.Or(cfg.LinesPerSecond, linesForProgram)}
	if isTerminal {
		out.linesPerSecond = cmp.Or(cfg.LinesPerSecond, linesForPerson)
	}
	if isTerminal && cfg.Width == 0 {
		out.style = func() screen.Style {
			s := style
			s.Width = screenWidth(file)
			return s
		}
	}
	return out
}

// defaultWidth is assumed of a terminal that does not tell its own.
const defaultWidth = 80

func screenWidth(file *os.File) int {
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil || width <= 0 {
		return defaultWidth
	}
	return width
}

// styleOf decides how to draw, from the configuration and the environment.
func styleOf(cfg *Config, isTerminal bool, getenv func(string) string) screen.Style {
	s := screen.Style{Width: cfg.Width, Zone: time.Local, ASCII: !speaksUnicode(getenv)}
	switch cfg.Color {
	case ColorAlways:
		s.Colour = true
	case ColorAuto:
		s.Colour = isTerminal && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
	}
	return s
}

// speaksUnicode tells whether the locale has UTF-8. Where none is set at all,
// as in many containers and services, it is assumed.
func speaksUnicode(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := strings.ToLower(getenv(name)); locale != "" {
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return true
}
