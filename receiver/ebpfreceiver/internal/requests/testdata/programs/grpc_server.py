"""Serves calls of gRPC's test service with as many bytes as each asks for.

The library is gRPC's in C, which writes a message and the trailers behind it in
one call from several buffers.
"""
import sys
from concurrent import futures

import grpc


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def size_of(request):
    """Field 2 of a SimpleRequest, which is all that the client sets."""
    if not request or request[0] != 0x10:
        return 0
    n = 0
    for i, c in enumerate(request[1:]):
        n |= (c & 127) << 7 * i
        if c < 128:
            break
    return n


def answer(request, context):
    body = bytes(size_of(request))
    payload = b"\x12" + varint(len(body)) + body
    return b"\x0a" + varint(len(payload)) + payload


class Service(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method.endswith("/UnaryCall"):
            return grpc.unary_unary_rpc_method_handler(answer)
        return None


server = grpc.server(futures.ThreadPoolExecutor(4), handlers=[Service()])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
print(f"127.0.0.1:{port}", flush=True)
sys.stdin.read()
