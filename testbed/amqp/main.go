// Command amqp is a client of an AMQP broker with RabbitMQ's own library for Go,
// for the tests of the request capture: a module of its own, because nothing else
// needs its dependency.
//
//	amqp HOST:PORT N [burst]    does N rounds and prints what it did, as a line of
//	                            JSON; in a burst it sends all before it waits
package main

import (
	"encoding/json"
	"errors"
	"log"
	"os"
	"strconv"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"golang.org/x/sys/unix"
)

// outcome is the client's record of what it did: the operation with the code of
// its error, what it was about, and when it began and was over, in ns since boot.
type outcome struct {
	Method, Path string
	Status       int
	Start, End   uint64
}

const (
	queue    = "sg-orders"
	exchange = "sg-topic"
	key      = "red.new"
)

type recorder struct{ all []outcome }

// did records what f does. An error that closes the channel is part of it.
func (r *recorder) did(operation, path string, f func() error) {
	o := outcome{Method: operation, Path: path, Status: 1, Start: bootNow()}
	err := f()
	o.End = bootNow()
	if refused, ok := errors.AsType[*amqp.Error](err); ok {
		o.Method += " " + strconv.Itoa(refused.Code)
	} else if err != nil {
		log.Fatal(operation, err)
	}
	r.all = append(r.all, o)
}

func bootNow() uint64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		log.Fatal(err)
	}
	return uint64(ts.Nano())
}

func main() {
	burst := len(os.Args) == 4 && os.Args[3] == "burst"
	if len(os.Args) != 3 && !burst {
		log.Fatal("usage: amqp HOST:PORT N [burst]")
	}
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	conn, err := amqp.Dial("amqp://guest:guest@" + os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var r recorder
	sure, fast := channel(conn), channel(conn)
	r.declare(fast)
	r.did("confirm.select", "", func() error { return sure.Confirm(false) })
	prefetch := 5
	if burst {
		prefetch = n
		r.burst(sure, fast, n)
	} else {
		r.publish(sure, fast, n)
	}
	r.fetch(fast, n)
	r.consume(sure, n, prefetch)
	r.did("queue.declare", "sg-absent", func() error {
		_, err := fast.QueueDeclarePassive("sg-absent", false, false, false, false, nil)
		return err
	})
	if err := conn.Close(); err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(r.all); err != nil {
		log.Fatal(err)
	}
	_, _ = os.Stdin.Read(make([]byte, 1)) // until the parent has looked
}

func channel(conn *amqp.Connection) *amqp.Channel {
	ch, err := conn.Channel()
	if err != nil {
		log.Fatal(err)
	}
	return ch
}

func (r *recorder) declare(ch *amqp.Channel) {
	r.did("queue.declare", queue, func() error {
		_, err := ch.QueueDeclare(queue, false, false, false, false, nil)
		return err
	})
	r.did("queue.purge", queue, func() error {
		_, err := ch.QueuePurge(queue, false)
		return err
	})
	r.did("exchange.declare", exchange, func() error {
		return ch.ExchangeDeclare(exchange, "topic", false, false, false, false, nil)
	})
	r.did("queue.bind", queue, func() error { return ch.QueueBind(queue, "red.*", exchange, false, nil) })
}

// publish sends messages of several lengths, five of which are delivered at once:
// on one channel each waits for its confirm, on the other nothing answers.
func (r *recorder) publish(sure, fast *amqp.Channel, n int) {
	for i := range n {
		message := amqp.Publishing{Body: []byte(strings.Repeat("planted-secret", i*i%20))}
		short := amqp.Publishing{Body: message.Body[:len(message.Body)%11]} // several may be read by one call
		r.did("publish", queue, func() error {
			confirm, err := sure.PublishWithDeferredConfirm("", queue, false, false, message)
			if err == nil && !confirm.Wait() {
				log.Fatal("the broker refuses a message")
			}
			return err
		})
		r.did("publish", exchange+":"+key, func() error { return fast.Publish(exchange, key, false, false, short) })
	}
}

// burst is publish without waiting in between, with messages of up to 30 KiB: many
// of them come in one call.
func (r *recorder) burst(sure, fast *amqp.Channel, n int) {
	type sent struct {
		place   int
		confirm *amqp.DeferredConfirmation
	}
	var waiting []sent
	for i := range n {
		message := amqp.Publishing{Body: []byte(strings.Repeat("secret", 10<<(i%10)))}
		r.did("publish", queue, func() error {
			confirm, err := sure.PublishWithDeferredConfirm("", queue, false, false, message)
			waiting = append(waiting, sent{len(r.all), confirm})
			return err
		})
		r.did("publish", exchange+":"+key, func() error { return fast.Publish(exchange, key, false, false, message) })
	}
	for _, s := range waiting {
		if !s.confirm.Wait() {
			log.Fatal("the broker refuses a message")
		}
		r.all[s.place].End = bootNow()
	}
}

// fetch takes n messages one by one.
func (r *recorder) fetch(ch *amqp.Channel, n int) {
	for range n {
		var d amqp.Delivery
		r.did("get", "", func() (err error) {
			ok := false
			if d, ok, err = ch.Get(queue, true); err == nil && !ok {
				log.Fatal("as many were confirmed")
			}
			return err
		})
		r.all[len(r.all)-1].Path = destination(d.Exchange, d.RoutingKey)
	}
}

// consume takes the other n, and refuses each tenth.
func (r *recorder) consume(ch *amqp.Channel, n, prefetch int) {
	r.did("basic.qos", "", func() error { return ch.Qos(prefetch, 0, false) })
	begun := bootNow()
	var deliveries <-chan amqp.Delivery
	r.did("basic.consume", queue, func() (err error) {
		deliveries, err = ch.Consume(queue, "", false, false, false, false, nil)
		return err
	})
	for i := 1; i <= n; i++ {
		d := <-deliveries
		operation, settle := "deliver", func() error { return d.Ack(false) }
		if i%10 == 0 {
			operation, settle = "deliver reject", func() error { return d.Reject(false) }
		}
		if err := settle(); err != nil {
			log.Fatal(err)
		}
		r.all = append(r.all, outcome{Method: operation, Path: destination(d.Exchange, d.RoutingKey), Status: 1, Start: begun, End: bootNow()})
	}
	time.Sleep(100 * time.Millisecond) // for the last of them
}

// destination is how an operation on a message of the queue is called.
func destination(exchange, key string) string {
	if exchange == "" {
		return queue
	}
	return exchange + ":" + key + ":" + queue
}
