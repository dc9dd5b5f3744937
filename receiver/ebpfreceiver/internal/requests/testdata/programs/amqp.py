"""A client of an AMQP broker: python3 amqp.py HOST:PORT N [wait] [tls].

It prints what it did, in the order of the calls: the operation with its error,
the destination, and when it began and was over (monotonic, ns). With "wait", it
says "ready" when everything is declared, and goes on after a line of input.
"""
import json
import ssl
import sys
import time

import pika
from pika.exceptions import ChannelClosedByBroker, UnroutableError

host, port = sys.argv[1].rsplit(":", 1)
n = int(sys.argv[2])
queue, topic = "sg-orders", "sg-topic"
outcomes = []


def did(operation, destination, f):
    start = time.monotonic_ns()
    error = ""
    try:
        result = f()
    except UnroutableError:
        error, result = " 312", None
    except ChannelClosedByBroker as e:
        error, result = " %d" % e.reply_code, None
    outcomes.append({"Method": operation + error, "Path": destination, "Status": 1, "Start": start, "End": time.monotonic_ns()})
    return result


secure = pika.SSLOptions(ssl._create_unverified_context(), host) if "tls" in sys.argv[3:] else None
connection = pika.BlockingConnection(pika.ConnectionParameters(host, int(port), heartbeat=0, ssl_options=secure))
sure = connection.channel()
fast = connection.channel()
did("queue.declare", queue, lambda: fast.queue_declare(queue))
did("queue.purge", queue, lambda: fast.queue_purge(queue))
did("exchange.declare", topic, lambda: fast.exchange_declare(topic, "topic"))
did("queue.bind", queue, lambda: fast.queue_bind(queue, topic, "red.*"))
did("confirm.select", "", sure.confirm_delivery)
if "wait" in sys.argv[3:]:
    outcomes = []
    print("ready", flush=True)
    sys.stdin.readline()
for i in range(n):
    body = b"secret" * (i % 7)
    large = b"secret" * (10000 if i % 10 == 9 and i < n // 3 else i)  # what waits for an answer may fill any call
    did("publish", queue, lambda: sure.basic_publish("", queue, large))
    did("publish", topic + ":red.new", lambda: fast.basic_publish(topic, "red.new", body))
    did("publish", queue, lambda: sure.basic_publish("", queue, body, mandatory=True))
did("publish", "sg-none", lambda: sure.basic_publish("", "sg-none", b"secret", mandatory=True))
left = did("queue.declare", queue, lambda: sure.queue_declare(queue, passive=True)).method.message_count
while left < 3 * n:  # what was not confirmed may still be on its way
    time.sleep(0.01)
    left = did("queue.declare", queue, lambda: sure.queue_declare(queue, passive=True)).method.message_count
for i in range(n):
    start = time.monotonic_ns()
    method, _, _ = sure.basic_get(queue, auto_ack=True)
    destination = queue if method.exchange == "" else method.exchange + ":" + method.routing_key + ":" + queue
    outcomes.append({"Method": "get", "Path": destination, "Status": 1, "Start": start, "End": time.monotonic_ns()})
did("queue.declare", "sg-absent", lambda: fast.queue_declare("sg-absent", passive=True))
did("basic.qos", "", lambda: sure.basic_qos(prefetch_count=5))
taken = 0
begun = time.monotonic_ns()


def take(channel, method, properties, body):
    global taken
    taken += 1
    operation = "deliver"
    if taken % 10 == 0:
        channel.basic_reject(method.delivery_tag, requeue=False)
        operation = "deliver reject"
    else:
        channel.basic_ack(method.delivery_tag)
    destination = queue if method.exchange == "" else method.exchange + ":" + method.routing_key + ":" + queue
    outcomes.append({"Method": operation, "Path": destination, "Status": 1, "Start": begun, "End": time.monotonic_ns()})


did("basic.consume", queue, lambda: sure.basic_consume(queue, take))
while taken < 2 * n:
    connection.process_data_events(1)
connection.close()
print(json.dumps(outcomes), flush=True)
sys.stdin.readline()
