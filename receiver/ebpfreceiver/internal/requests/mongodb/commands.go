package mongodb

import (
	"strings"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// command is what is known of a command.
type command struct {
	name       string
	collection bool // its value is a collection
	text       bool // what it asks for is shown, without values
	kind       kind
	class      exchange.Class
}

// kind of command that needs a treatment of its own.
type kind uint8

const (
	plain    kind = iota
	queries       // opens a cursor, which may wait
	fetches       // getMore: its value is a cursor
	inserts       // its response says how many documents there were
	greets        // hello: may be held until something changes
	explains      // its value is a command, too
)

var commands = func() map[string]*command {
	table := map[string]*command{}
	add := func(c command, names string) {
		for name := range strings.FieldsSeq(names) {
			known := c
			known.name = name
			table[name] = &known
		}
	}
	add(command{collection: true, text: true, kind: queries}, "find aggregate")
	add(command{collection: true, text: true}, "count distinct findAndModify findandmodify update delete")
	add(command{collection: true, kind: inserts}, "insert")
	add(command{kind: fetches}, "getMore")
	add(command{kind: explains}, "explain")
	add(command{kind: greets, class: exchange.Probe}, "hello isMaster ismaster")
	add(command{class: exchange.Probe}, "ping")
	add(command{collection: true}, "mapReduce mapreduce create drop createIndexes dropIndexes deleteIndexes listIndexes reIndex collMod "+
		"collStats collstats compact validate convertToCapped killCursors planCacheClear planCacheListFilters "+
		"createSearchIndexes updateSearchIndex dropSearchIndex cloneCollectionAsCapped analyze")
	add(command{}, "abortTransaction commitTransaction endSessions startSession refreshSessions killSessions killAllSessions bulkWrite "+
		"listCollections listDatabases listCommands dropDatabase renameCollection buildInfo buildinfo serverStatus dbStats dbstats "+
		"hostInfo getParameter setParameter getLog getCmdLineOpts connectionStatus currentOp killOp profile top whatsmyuri "+
		"features getLastError getlasterror getFreeMonitoringStatus setFreeMonitoring fsync shutdown logRotate atlasVersion "+
		"authenticate logout getnonce saslStart saslContinue createUser updateUser dropUser usersInfo createRole updateRole dropRole "+
		"rolesInfo grantRolesToUser revokeRolesFromUser debugError "+
		"replSetGetStatus replSetGetConfig replSetHeartbeat replSetUpdatePosition replSetRequestVotes replSetInitiate replSetStepDown "+
		"isdbgrid listShards enableSharding shardCollection balancerStatus")
	return table
}()

// maxCommand is the length of the longest name that is taken for a command's.
const maxCommand = 40

// lookUp returns what is known of the command with a name. Other names than
// those of the table are shown as well, if they look like names; nothing else
// is known of such commands. It returns nil for what cannot be a command.
func lookUp(name []byte) *command {
	if c := commands[string(name)]; c != nil {
		return c
	}
	if len(name) == 0 || len(name) > maxCommand {
		return nil
	}
	for _, c := range name {
		if !isWord(c) && (c < '0' || c > '9') {
			return nil
		}
	}
	return &unknown
}

var unknown command

// sequences are the commands whose documents come in sequences with a name of
// their own.
var sequences = map[string]string{"documents": "insert", "updates": "update", "deletes": "delete"}

// shown are the fields that belong to the text of a command. Others are how it
// is to be executed, or by whom.
var shown = map[string]bool{
	"filter": true, "query": true, "q": true, "sort": true, "projection": true, "fields": true, "pipeline": true,
	"update": true, "u": true, "updates": true, "deletes": true, "key": true, "limit": true, "skip": true, "remove": true,
	"upsert": true, "multi": true, "new": true, "hint": true, "arrayFilters": true,
}
