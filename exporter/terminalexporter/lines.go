package terminalexporter

import (
	"net"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/screen"
	"github.com/sightglass/sightglass/exporter/terminalexporter/internal/text"
	"github.com/sightglass/sightglass/internal/schema"
)

func detectionLine(r record) screen.Line {
	l := r.line(screen.TagOf(r.raw(schema.RulePriority), r.SeverityNumber()))
	l.Title = r.safe(schema.RuleName)
	l.Text = safe(r.Body().AsString())
	if rest, ok := strings.CutPrefix(string(l.Text), string(l.Title)); ok {
		l.Text = text.Safe(strings.TrimLeft(rest, " :;,-")) // outputs often begin with the rule's name
	}
	l.Wrap = true
	return l
}

func commandLine(r record) screen.Line {
	l := r.line(screen.TagRun)
	l.Text = r.command()
	switch {
	case r.raw(schema.ErrorType) != "":
		l.Note = "failed: " + r.safe(schema.ErrorType)
	case r.flag(schema.ProcessMemfd):
		l.Note = "runs from memory"
	case r.flag(schema.ProcessUpperLayer):
		l.Note = "not in the image"
	}
	return l
}

// command is the command line of the acting process: as a shell would read it
// where the arguments are known one by one.
func (r record) command() text.Safe {
	v, ok := r.Attributes().Get(schema.ProcessCommandArgs)
	if !ok || v.Type() != pcommon.ValueTypeSlice || v.Slice().Len() == 0 {
		return r.safe(schema.ProcessCommandLine, schema.ProcessPath, schema.ProcessName)
	}
	args := make([]string, 0, v.Slice().Len())
	room := screen.MaxText
	cut := r.flag(schema.ProcessArgsTruncated)
	for _, arg := range v.Slice().All() {
		s := arg.AsString()
		if len(s)+1 > room {
			cut = true
			break
		}
		room -= len(s) + 1
		args = append(args, s)
	}
	line := text.Command(args)
	if cut {
		line += " [...]"
	}
	return line
}

func loginLine(r record) screen.Line {
	l := r.line(screen.TagLogin)
	if r.EventName() == schema.EventLoginEnd {
		l.Tag = screen.TagLogout
	}
	who := r.safe(schema.ProcessLoginUserName, schema.ProcessLoginUID, schema.ProcessUserName, schema.ProcessUserID)
	l.User = who
	l.Text = r.command()
	if from := r.safe(schema.ClientAddress, schema.NetworkPeerAddress); from != "" {
		l.Text = "from " + from + ": " + l.Text
	}
	return l
}

// notListening tells the sockets that got an address only to connect from it,
// or before they listen, from those that now wait for somebody.
func notListening(r record) bool {
	port, _ := r.number(schema.NetworkLocalPort)
	bound := r.raw(schema.SyscallName) == "bind" && (r.raw(schema.NetworkTransport) != "udp" || port == 0)
	return bound || r.raw(schema.NetworkLocalAddress) == ""
}

func listenLine(r record) screen.Line {
	l := r.line(screen.TagListen)
	l.Text = r.endpoint(schema.NetworkLocalAddress, schema.NetworkLocalPort)
	l.By = r.safe(schema.ProcessName)
	return l
}

func connectionLine(r record) screen.Line {
	l := r.line(screen.TagConnect)
	if r.EventName() == schema.EventNetworkAccept {
		l.Tag = screen.TagAccept
	}
	l.Text = r.endpoint(schema.NetworkPeerAddress, schema.NetworkPeerPort)
	return r.withOutcome(l)
}

// endpoint is one end of a connection: "tcp 127.0.0.1:80", "unix /run/x.sock".
func (r record) endpoint(addressName, portName string) text.Safe {
	address := r.raw(addressName)
	if port, ok := r.number(portName); ok {
		address = net.JoinHostPort(address, strconv.FormatInt(port, 10))
	}
	if transport := r.safe(schema.NetworkTransport, schema.NetworkType); transport != "" {
		return transport + " " + safe(address)
	}
	return safe(address)
}

func fileLine(r record) screen.Line {
	l := r.line(screen.TagFile)
	operation := r.safe(schema.FileOperation)
	if r.EventName() == schema.EventFileModified {
		operation = "modified"
	}
	if operation == "" {
		operation = "open"
	}
	l.Text = operation + " " + r.safe(schema.FilePath, schema.FileResolvedPath, schema.FileNameRaw)
	if previous := r.safe(schema.FilePreviousPath); previous != "" {
		l.Text += " from " + previous
	}
	return r.withOutcome(l)
}

func exitLine(r record) screen.Line {
	l := r.line(screen.TagExit)
	l.Text = r.safe(schema.ProcessName)
	if signal, ok := r.number(schema.ProcessExitSignal); ok && signal != 0 {
		l.Note = "signal " + text.Safe(strconv.FormatInt(signal, 10))
	} else if code, ok := r.number(schema.ProcessExitCode); ok && code != 0 {
		l.Note = "code " + text.Safe(strconv.FormatInt(code, 10))
	}
	return l
}

func syscallLine(r record) screen.Line {
	l := r.line(screen.TagSyscall)
	l.Text = r.safe(schema.SyscallName)
	if value, ok := r.number(schema.SyscallReturn); ok {
		l.Text += " = " + text.Safe(strconv.FormatInt(value, 10))
	}
	return r.withOutcome(l)
}

// withOutcome adds to a line about a call which program made it and how it
// failed, if it did.
func (r record) withOutcome(l screen.Line) screen.Line {
	l.By = r.safe(schema.ProcessName)
	if failure := r.safe(schema.ErrorType); failure != "" {
		l.Note = "failed: " + failure
	}
	return l
}
