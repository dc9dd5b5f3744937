"""Calls over TLS by gRPC's library in C.

grpctls.py serve DIR PORT    answers calls of two procedures, until its input ends
grpctls.py ask DIR PORT      calls them, and stays until its input ends
"""
import concurrent.futures
import sys

import grpc

act, directory, port = sys.argv[1:]


def read(name):
    with open(directory + "/" + name, "rb") as file:
        return file.read()


def missing(request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "none")


if act == "serve":
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop.Orders", {
        "Check": grpc.unary_unary_rpc_method_handler(lambda request, context: request),
        "Missing": grpc.unary_unary_rpc_method_handler(missing),
    }),))
    server.add_secure_port("127.0.0.1:" + port, grpc.ssl_server_credentials([(read("key.pem"), read("cert.pem"))]))
    server.start()
    sys.stdin.read()
    server.stop(None)
else:
    with grpc.secure_channel("localhost:" + port, grpc.ssl_channel_credentials(read("cert.pem"))) as channel:
        for name in ("Check", "Missing", "Check", "Check", "Missing", "Check", "Missing", "Check"):
            try:
                channel.unary_unary("/shop.Orders/" + name)(b"\x08\x01")
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.NOT_FOUND:
                    raise
        sys.stdin.read()
