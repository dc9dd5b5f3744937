package translate

import (
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"golang.org/x/sys/unix"

	"github.com/sightglass/sightglass/internal/critical"
	"github.com/sightglass/sightglass/internal/schema"
)

// Modified makes the record of a change from that of a deed that led to it, a
// batch of one record, which stays as it is.
func Modified(deed plog.Logs, c *critical.Change, observed pcommon.Timestamp) plog.Logs {
	out := plog.NewLogs()
	deed.CopyTo(out)
	rec := out.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	rec.SetObservedTimestamp(observed)
	attrs := rec.Attributes()
	attrs.PutStr(schema.FilePath, valid(c.Path))
	attrs.PutStr(schema.FileResolvedPath, valid(c.Path))
	putList(attrs, schema.FileChanges, c.Kinds)
	putState(attrs, &c.Before, stateNames{
		schema.FileBeforeSize, schema.FileBeforeMode, schema.FileBeforeUser, schema.FileBeforeGroup, schema.FileBeforeSHA256,
	})
	putState(attrs, &c.After, stateNames{
		schema.FileAfterSize, schema.FileAfterMode, schema.FileAfterUser, schema.FileAfterGroup, schema.FileAfterSHA256,
	})
	return out
}

type stateNames struct{ size, mode, user, group, hash string }

// putState writes what a file is like; nothing when there is none.
func putState(attrs pcommon.Map, s *critical.State, n stateNames) {
	if !s.Exists {
		return
	}
	if s.Mode&unix.S_IFMT == unix.S_IFREG {
		attrs.PutInt(n.size, s.Size)
	}
	attrs.PutStr(n.mode, octal(uint64(s.Mode&0o7777)))
	attrs.PutInt(n.user, int64(s.UID))
	attrs.PutInt(n.group, int64(s.GID))
	put(attrs, n.hash, s.Hash)
}

// Unseen is the deed of nobody who was seen, now.
func Unseen(host Host, version string, now pcommon.Timestamp) plog.Logs {
	out := plog.NewLogs()
	rl := out.ResourceLogs().AppendEmpty()
	put(rl.Resource().Attributes(), schema.HostID, host.ID)
	put(rl.Resource().Attributes(), schema.HostName, host.Name)
	sl := rl.ScopeLogs().AppendEmpty()
	sl.Scope().SetName(schema.ScopeName)
	sl.Scope().SetVersion(version)
	rec := sl.LogRecords().AppendEmpty()
	rec.SetEventName(schema.EventFileModified)
	rec.SetTimestamp(now)
	return out
}
