package amqp

import "github.com/sightglass/sightglass/receiver/ebpfreceiver/internal/requests/exchange"

// Classes of methods.
const (
	classConnection = 10
	classChannel    = 20
	classExchange   = 40
	classQueue      = 50
	classBasic      = 60
	classConfirm    = 85
	classTx         = 90
)

// Methods that are treated one by one: the class, and the number in it.
const (
	connectionClose = classConnection<<16 | 50
	channelOpen     = classChannel<<16 | 10
	channelClose    = classChannel<<16 | 40
	channelCloseOK  = classChannel<<16 | 41
	queueDeclare    = classQueue<<16 | 10
	basicConsume    = classBasic<<16 | 20
	basicConsumeOK  = classBasic<<16 | 21
	basicCancel     = classBasic<<16 | 30
	basicPublish    = classBasic<<16 | 40
	basicReturn     = classBasic<<16 | 50
	basicDeliver    = classBasic<<16 | 60
	basicGet        = classBasic<<16 | 70
	basicGetOK      = classBasic<<16 | 71
	basicGetEmpty   = classBasic<<16 | 72
	basicAck        = classBasic<<16 | 80
	basicReject     = classBasic<<16 | 90
	basicNack       = classBasic<<16 | 120
	confirmSelect   = classConfirm<<16 | 10
)

// method is what is known of a method.
type method struct {
	name  string
	id    uint32
	by    exchange.Verdict // whose it is
	reply uint32           // that answers it; 0 for none
	quiet bool             // of the connection or a channel itself: not reported
	texts int              // short texts at the beginning, behind a number of two bytes
	// nowait is the bit behind the texts that says that there is no answer.
	nowait byte
}

var methods = func() map[uint32]*method {
	table := map[uint32]*method{}
	add := func(m method) { table[m.id] = &m }
	// call adds a method of the client that is answered by the next one.
	call := func(m method) {
		m.by = exchange.IsRequest
		if m.reply == 0 {
			m.reply = m.id + 1
		}
		add(m)
		add(method{id: m.reply, by: exchange.IsResponse})
	}
	const connection, channel, exch, queue, basic = classConnection << 16, classChannel << 16, classExchange << 16, classQueue << 16, classBasic << 16
	for _, id := range []uint32{10, 20, 30, 60, 61} {
		add(method{id: connection | id, by: exchange.IsResponse})
	}
	for _, id := range []uint32{11, 21, 31, 40, 70} {
		add(method{id: connection | id, by: exchange.IsRequest})
	}
	for _, id := range []uint32{41, 71} {
		add(method{id: connection | id, by: exchange.IsResponse})
	}
	for _, id := range []uint32{connectionClose, connection | 51, channel | 20, channel | 21, channelClose, channelCloseOK, basicAck, basicNack, basicCancel} {
		add(method{id: id, by: exchange.IsEither})
	}
	call(method{id: channelOpen, quiet: true})
	call(method{id: exch | 10, name: "exchange.declare", texts: 2, nowait: 1 << 4})
	call(method{id: exch | 20, name: "exchange.delete", texts: 1, nowait: 1 << 1})
	call(method{id: exch | 30, name: "exchange.bind", texts: 3, nowait: 1})
	call(method{id: exch | 40, name: "exchange.unbind", texts: 3, nowait: 1, reply: exch | 51})
	call(method{id: queueDeclare, name: "queue.declare", texts: 1, nowait: 1 << 4})
	call(method{id: queue | 20, name: "queue.bind", texts: 3, nowait: 1})
	call(method{id: queue | 30, name: "queue.purge", texts: 1, nowait: 1})
	call(method{id: queue | 40, name: "queue.delete", texts: 1, nowait: 1 << 2})
	call(method{id: queue | 50, name: "queue.unbind", texts: 3})
	call(method{id: basic | 10, name: "basic.qos"})
	call(method{id: basicConsume, name: "basic.consume", texts: 2, nowait: 1 << 3})
	call(method{id: basic | 110, name: "basic.recover"})
	call(method{id: classTx<<16 | 10, name: "tx.select"})
	call(method{id: classTx<<16 | 20, name: "tx.commit"})
	call(method{id: classTx<<16 | 30, name: "tx.rollback"})
	call(method{id: confirmSelect, name: "confirm.select"})
	call(method{id: basicGet, name: "get", texts: 1})
	for _, id := range []uint32{basicPublish, basicReject, basic | 100} {
		add(method{id: id, by: exchange.IsRequest})
	}
	for _, id := range []uint32{basicReturn, basicDeliver, basicGetEmpty, basic | 31} {
		add(method{id: id, by: exchange.IsResponse})
	}
	return table
}()
