package redis

import (
	"strings"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
)

// command is what is known of a command.
type command struct {
	// keys are the arguments that are names of keys: from first to last, counted
	// from the end when negative, by step. first 0: none.
	first, last, step int
	kind              kind
	class             exchange.Class
	leaves            bool // whoever sends it may go without the answer
}

// kind of command that needs a treatment of its own.
type kind uint8

const (
	plain      kind = iota
	selects         // changes the database
	resets          // and the state of the connection
	begins          // MULTI
	executes        // EXEC
	discards        // DISCARD
	subscribes      // answered once for each channel
	monitors        // everything follows
	replicates      // a replica's
	secret          // nothing of it is shown
	contains        // the first argument is a command, too
	scripts         // the first argument names what is run
	blocks          // waits if an argument says so
)

// harmless tells whether a command of the kind does nothing to the connection,
// whatever its arguments are.
func (k kind) harmless() bool { return k == plain || k == scripts || k == blocks }

var commands = func() map[string]command {
	table := map[string]command{}
	add := func(c command, names string) {
		for name := range strings.FieldsSeq(names) {
			table[name] = c
		}
	}
	add(command{}, "ECHO TIME DBSIZE FLUSHDB FLUSHALL SAVE BGSAVE BGREWRITEAOF LASTSAVE INFO KEYS SCAN RANDOMKEY "+
		"PUBLISH SPUBLISH UNWATCH ROLE ASKING READONLY READWRITE SHUTDOWN FAILOVER SWAPDB LOLWUT MIGRATE LMPOP ZMPOP "+
		"ZUNION ZINTER ZDIFF ZINTERCARD SINTERCARD SLAVEOF REPLICAOF EVAL EVAL_RO BITOP")
	add(command{class: exchange.Probe}, "PING")
	add(command{leaves: true}, "QUIT")
	add(command{first: 1, last: 1, step: 1}, "GET SET SETEX SETNX PSETEX GETSET GETDEL GETEX INCR DECR INCRBY DECRBY INCRBYFLOAT "+
		"APPEND STRLEN GETRANGE SETRANGE SUBSTR GETBIT SETBIT BITCOUNT BITPOS BITFIELD BITFIELD_RO "+
		"EXPIRE PEXPIRE EXPIREAT PEXPIREAT EXPIRETIME PEXPIRETIME TTL PTTL PERSIST TYPE DUMP RESTORE MOVE SORT SORT_RO "+
		"HSET HSETNX HGET HMSET HMGET HGETALL HDEL HEXISTS HINCRBY HINCRBYFLOAT HKEYS HVALS HLEN HSTRLEN HSCAN HRANDFIELD "+
		"HEXPIRE HPEXPIRE HTTL HPTTL HPERSIST HGETEX HSETEX HGETDEL "+
		"LPUSH LPUSHX RPUSH RPUSHX LPOP RPOP LLEN LRANGE LINDEX LSET LREM LTRIM LINSERT LPOS "+
		"SADD SREM SMEMBERS SISMEMBER SMISMEMBER SCARD SPOP SRANDMEMBER SSCAN "+
		"ZADD ZREM ZSCORE ZMSCORE ZINCRBY ZCARD ZCOUNT ZLEXCOUNT ZRANGE ZRANGEBYSCORE ZRANGEBYLEX ZREVRANGE ZREVRANGEBYSCORE "+
		"ZREVRANGEBYLEX ZRANK ZREVRANK ZREMRANGEBYRANK ZREMRANGEBYSCORE ZREMRANGEBYLEX ZPOPMIN ZPOPMAX ZRANDMEMBER ZSCAN "+
		"ZUNIONSTORE ZINTERSTORE ZDIFFSTORE "+
		"GEOADD GEODIST GEOHASH GEOPOS GEORADIUS GEORADIUSBYMEMBER GEOSEARCH "+
		"XADD XLEN XRANGE XREVRANGE XDEL XTRIM XACK XCLAIM XAUTOCLAIM XPENDING XSETID PFADD "+
		"JSON.GET JSON.SET JSON.DEL")
	add(command{first: 1, last: 2, step: 1}, "RENAME RENAMENX COPY SMOVE RPOPLPUSH LMOVE ZRANGESTORE GEOSEARCHSTORE LCS")
	add(command{first: 1, last: -1, step: 1}, "MGET DEL UNLINK EXISTS TOUCH WATCH SINTER SUNION SDIFF SINTERSTORE SUNIONSTORE SDIFFSTORE PFCOUNT PFMERGE")
	add(command{first: 1, last: -1, step: 2}, "MSET MSETNX")
	wait := exchange.Wait
	add(command{first: 1, last: -2, step: 1, class: wait}, "BLPOP BRPOP BZPOPMIN BZPOPMAX")
	add(command{first: 1, last: 2, step: 1, class: wait}, "BLMOVE BRPOPLPUSH")
	add(command{class: wait}, "BLMPOP BZMPOP WAIT WAITAOF")
	add(command{kind: blocks}, "XREAD XREADGROUP")
	add(command{kind: selects}, "SELECT")
	add(command{kind: resets}, "RESET")
	add(command{kind: begins}, "MULTI")
	add(command{kind: executes}, "EXEC")
	add(command{kind: discards}, "DISCARD")
	add(command{kind: subscribes, class: exchange.Stream}, "SUBSCRIBE PSUBSCRIBE SSUBSCRIBE")
	add(command{kind: subscribes, leaves: true}, "UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE")
	add(command{kind: monitors, class: exchange.Stream}, "MONITOR")
	add(command{kind: replicates}, "SYNC PSYNC REPLCONF")
	add(command{kind: secret}, "AUTH HELLO")
	add(command{kind: contains}, "CONFIG CLIENT CLUSTER COMMAND OBJECT XINFO XGROUP SCRIPT FUNCTION ACL MEMORY LATENCY PUBSUB SLOWLOG MODULE DEBUG SENTINEL")
	add(command{kind: scripts}, "EVALSHA EVALSHA_RO FCALL FCALL_RO")
	return table
}()

// maxCommand is the longest name of a command that is believed.
const maxCommand = 32

// lookup returns what is known of a command, whatever its case.
func lookup(name []byte) (command, bool) {
	if len(name) > maxCommand {
		return command{}, false
	}
	var upper [maxCommand]byte
	for i, c := range name {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper[i] = c
	}
	c, ok := commands[string(upper[:len(name)])]
	return c, ok
}

// known tells whether b, of which only the beginning may be there, can be the
// name of a command of n bytes. An answer can begin like the ones that subscribe.
func known(b []byte, n int) bool {
	if len(b) == n {
		c, ok := lookup(b)
		return ok && (c.kind != subscribes || b[0] >= 'A' && b[0] <= 'Z')
	}
	return isName(b)
}

// isName tells whether b can be the name of a command.
func isName(b []byte) bool {
	for _, c := range b {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return len(b) > 0 && len(b) <= maxCommand && (b[0] < '0' || b[0] > '9')
}

// fold tells whether b is word, which must be upper-case, whatever its case.
func fold(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}
