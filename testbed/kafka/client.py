"""Sends and consumes with kafka-python, and prints what it did as JSON: records
by topic. Arguments: the broker's address, how many records, the group."""

import json
import sys

from kafka import KafkaConsumer, KafkaProducer

address, n, group = sys.argv[1], int(sys.argv[2]), sys.argv[3]
producer = KafkaProducer(bootstrap_servers=address, acks="all", retries=0, client_id="python")
for i in range(n):
    producer.send("orders", b"planted-secret %d" % i).get(timeout=10)
producer.close()
consumer = KafkaConsumer(
    "orders", bootstrap_servers=address, group_id=group, client_id="python", auto_offset_reset="earliest", enable_auto_commit=False
)
for i, _ in enumerate(consumer):
    if i == n - 1:
        break
consumer.commit()
consumer.close()
print(json.dumps({"Sent": {"orders": n}, "Fetched": {"orders": n}}))
