package amqp

import (
	"encoding/binary"
	"fmt"

	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/dbconn/dbtest"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"
	"github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/messagingfacts"
)

func init() {
	dbtest.Tell = func(facts exchange.Facts) (what, flaws string) {
		f := facts.(*Facts)
		what = f.Operation
		for _, word := range []struct {
			set  bool
			text string
		}{
			{len(f.Destination) > 0, string(f.Destination)},
			{f.Temporary, "temporary"},
			{f.Type != messagingfacts.Other, [...]string{"", "send", "receive", "process", "settle"}[f.Type]},
			{f.Tag != 0, fmt.Sprintf("tag=%d", f.Tag)},
			{len(f.Error) > 0, "error=" + string(f.Error)},
			{len(f.TraceParent) > 0, "parent=" + string(f.TraceParent)},
		} {
			if word.set {
				what += " " + word.text
			}
		}
		if f.Cut {
			flaws = " cut"
		}
		if f.CallerGone {
			flaws = " callergone"
		}
		return what, flaws
	}
}

func be(size int, n uint64) string {
	return string(binary.BigEndian.AppendUint64(nil, n)[8-size:])
}

func text(s string) string { return be(1, uint64(len(s))) + s }

func frame(typ byte, channel int, payload string) string {
	return string([]byte{typ}) + be(2, uint64(channel)) + be(4, uint64(len(payload))) + payload + "\xce"
}

// does is a method on a channel with its arguments.
func does(channel int, id uint32, arguments ...string) string {
	payload := be(4, uint64(id))
	for _, a := range arguments {
		payload += a
	}
	return frame(frameMethod, channel, payload)
}

// carries is a message: its header and its body, in frames of up to 1000 bytes.
func carries(channel int, body string) string { return carriesWith(channel, 0, "", body) }

func carriesWith(channel, flags int, properties, body string) string {
	s := frame(frameHeader, channel, be(2, classBasic)+be(2, 0)+be(8, uint64(len(body)))+be(2, uint64(flags))+properties)
	for len(body) > 0 {
		n := min(len(body), 1000)
		s += frame(frameBody, channel, body[:n])
		body = body[n:]
	}
	return s
}

func publish(channel int, exchangeName, key, body string) string {
	return does(channel, basicPublish, be(2, 0), text(exchangeName), text(key), "\x00") + carries(channel, body)
}

func deliver(channel int, consumer string, tag uint64, key, body string) string {
	return does(channel, basicDeliver, text(consumer), be(8, tag), "\x00", text(""), text(key)) + carries(channel, body)
}

func ack(channel int, tag uint64, multiple int) string {
	return does(channel, basicAck, be(8, tag), be(1, uint64(multiple)))
}

func consume(channel int, queue, tag string, bits int) string {
	return does(channel, basicConsume, be(2, 0), text(queue), text(tag), be(1, uint64(bits)), be(4, 0))
}

func declare(channel int, queue string, bits int) string {
	return does(channel, queueDeclare, be(2, 0), text(queue), be(1, uint64(bits)), be(4, 0))
}

func declared(channel int, queue string) string {
	return does(channel, queueDeclare+1, text(queue), be(4, 0), be(4, 0))
}

func get(channel int, queue string) string {
	return does(channel, basicGet, be(2, 0), text(queue), "\x00")
}

func got(channel int, tag uint64, key, body string) string {
	return does(channel, basicGetOK, be(8, tag), "\x00", text("amq.topic"), text(key), be(4, 0)) + carries(channel, body)
}

func closes(channel int, id uint32, code uint64) string {
	return does(channel, id, be(2, code), text("secret"), be(2, 0), be(2, 0))
}

const (
	openOK    = "\x00\x00\x00\x00"
	selected  = classConfirm<<16 | 11
	startedID = classConnection<<16 | 10
)

// begin opens a connection and channel 1.
func begin(s *dbtest.Script) {
	s.Req(preface).Resp(does(0, startedID, "\x00\x09")).Req(does(0, classConnection<<16|11, "secret")).Resp(does(0, classConnection<<16|30))
	s.Req(does(0, classConnection<<16|31) + does(0, classConnection<<16|40)).Resp(does(0, classConnection<<16|41))
	s.Req(does(1, channelOpen, "\x00")).Resp(does(1, channelOpen+1, openOK))
	s.Now = 0
}

func confirming(s *dbtest.Script) {
	begin(s)
	s.Req(does(1, confirmSelect, "\x00")).Resp(does(1, selected))
	s.Now, s.Found = 0, nil
}
