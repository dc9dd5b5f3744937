"""Serves gRPC's test service, with as many bytes as each call asks for.

The library is gRPC's in C, which writes a message and the trailers behind it in
one call from several buffers, and long messages in frames as long as its peer
takes.
"""
import functools
import sys
from concurrent import futures

import grpc
from grpc_messages import body, payload, sizes, varint

body = functools.cache(body)


def unary(request, context):
    return payload(1, body(next(sizes(request, 2), 0)))


def give(request, context):
    for n in sizes(request, 2):
        yield payload(1, body(n))


def take(requests, context):
    return b"\x08" + varint(sum(len(r) for r in requests))


def talk(requests, context):
    for request in requests:
        yield from give(request, context)


HANDLERS = {
    "UnaryCall": grpc.unary_unary_rpc_method_handler(unary),
    "StreamingOutputCall": grpc.unary_stream_rpc_method_handler(give),
    "StreamingInputCall": grpc.stream_unary_rpc_method_handler(take),
    "FullDuplexCall": grpc.stream_stream_rpc_method_handler(talk),
}


class Service(grpc.GenericRpcHandler):
    def service(self, details):
        return HANDLERS.get(details.method.rsplit("/", 1)[1])


server = grpc.server(futures.ThreadPoolExecutor(8), handlers=[Service()],
                     options=[("grpc.max_receive_message_length", -1)])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(f"127.0.0.1:{port}", flush=True)
sys.stdin.read()
