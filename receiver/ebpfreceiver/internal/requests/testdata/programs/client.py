"""client.py ADDRESS COUNT 'METHOD /path [SIZE]'...: makes requests, on four
connections at once, and prints their record as JSON; times are monotonic."""
import http.client
import json
import sys
import threading
import time

address, count, *paths = sys.argv[1:]
outcomes = []


def worker(first):
    connection = http.client.HTTPConnection(address)
    for i in range(first, int(count), 4):
        method, path, *size = paths[i % len(paths)].split()
        start = time.monotonic_ns()
        connection.request(method, path, bytes(int(size[0])) if size else None)
        response = connection.getresponse()
        response.read()
        outcomes.append({"Method": method, "Path": path, "Status": response.status,
                         "Start": start, "End": time.monotonic_ns()})
    connection.close()


workers = [threading.Thread(target=worker, args=(i,)) for i in range(4)]
for w in workers:
    w.start()
for w in workers:
    w.join()
print(json.dumps(outcomes))
