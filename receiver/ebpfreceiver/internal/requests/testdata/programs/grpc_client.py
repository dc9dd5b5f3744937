"""grpc_client.py ADDRESS COUNT ATONCE 'KIND ...'...: makes calls to gRPC's test
service over one connection, ATONCE of them at once, and prints their record as JSON;
times are monotonic.

A call is 'unary OUT IN' (bytes of the response and of the request), 'give COUNT OUT',
'take COUNT IN' or 'talk COUNT OUT IN' (streams of the server, the client and both), or
'none', of a method that the server lacks; with 'gzip' behind it, compressed.
"""
import functools
import json
import sys
import time
from concurrent import futures

import grpc
from grpc_messages import body, inner, payload, varint

address, count, at_once, *calls = sys.argv[1:]
body = functools.cache(body)
SERVICE = "/grpc.testing.TestService/"
channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)])


def asking(out, length=0):
    """A request for a stream's message of so many bytes."""
    return inner(2, b"\x08" + varint(out)) + (payload(3, body(length)) if length else b"")


def start(kind, numbers, options):
    if kind == "unary":
        out, length = numbers
        request = b"\x10" + varint(out) + payload(3, body(length))
        return "UnaryCall", lambda path: channel.unary_unary(path)(request, **options)
    if kind == "give":
        n, out = numbers
        return "StreamingOutputCall", lambda path: list(
            channel.unary_stream(path)(n * asking(out), **options))
    if kind == "take":
        n, length = numbers
        return "StreamingInputCall", lambda path: channel.stream_unary(path)(
            iter([payload(1, body(length))] * n), **options)
    if kind == "talk":
        n, out, length = numbers
        return "FullDuplexCall", lambda path: list(channel.stream_stream(path)(
            iter([asking(out, length)] * n), **options))
    return "EmptyCall", lambda path: channel.unary_unary(path)(b"", **options)


def call(i):
    kind, *numbers = calls[i % len(calls)].split()
    options = {}
    if numbers and numbers[-1] == "gzip":
        numbers.pop()
        options["compression"] = grpc.Compression.Gzip
    method, run = start(kind, [int(n) for n in numbers], options)
    path, status, begun = SERVICE + method, 0, time.monotonic_ns()
    try:
        run(path)
    except grpc.RpcError as e:
        status = e.code().value[0]
    return {"Method": "POST", "Path": path, "Status": 1000 + status,
            "Start": begun, "End": time.monotonic_ns()}


with futures.ThreadPoolExecutor(int(at_once)) as pool:
    outcomes = list(pool.map(call, range(int(count))))
channel.close()
print(json.dumps(outcomes))
