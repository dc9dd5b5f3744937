"""partial_writes.py CERTIFICATE KEY COUNT [wait] [small]: both ends of one connection
that OpenSSL encrypts, by its functions in C, each with a thread of its own. Sockets have
little room and nobody waits in a call, so that writes are made in parts and again,
and reads in all the ways that there are. Prints its port, and what was asked, as JSON,
with the times (ns since boot) when the server last found no room for an answer, and when
it had written it; with "wait" all but the first request when a line comes, with "small"
in records of at most 512 bytes."""
import ctypes
import ctypes.util
import itertools
import json
import select
import socket
import sys
import threading
import time

lib = ctypes.CDLL(ctypes.util.find_library("ssl"))
pointer, number, size_t = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t
for name, result, *args in (
        ("TLS_method", pointer), ("SSL_CTX_new", pointer, pointer), ("SSL_new", pointer, pointer),
        ("SSL_CTX_use_certificate_chain_file", number, pointer, ctypes.c_char_p),
        ("SSL_CTX_use_PrivateKey_file", number, pointer, ctypes.c_char_p, number),
        ("SSL_CTX_set_tlsext_max_fragment_length", number, pointer, ctypes.c_ubyte),
        ("SSL_set_fd", number, pointer, number), ("SSL_ctrl", ctypes.c_long, pointer, number, ctypes.c_long, pointer),
        ("SSL_accept", number, pointer), ("SSL_connect", number, pointer), ("SSL_get_error", number, pointer, number),
        ("SSL_read", number, pointer, pointer, number), ("SSL_peek", number, pointer, pointer, number),
        ("SSL_write", number, pointer, pointer, number), ("SSL_has_pending", number, pointer),
        ("SSL_read_ex", number, pointer, pointer, size_t, pointer),
        ("SSL_write_ex", number, pointer, pointer, size_t, pointer), ("SSL_shutdown", number, pointer)):
    f = getattr(lib, name)
    f.restype, f.argtypes = result, args
WANT_READ, WANT_WRITE = 2, 3
CTRL_MODE, PARTIAL, MOVING = 33, 1, 2
LONGEST_512 = 1  # of max_fragment_length


def body(size):
    """What looks like the beginnings of messages: whoever loses his place tells of them."""
    text = b"POST /secret HTTP/1.1\r\n\r\nHTTP/1.1 200 secret\r\n\r\n"
    return (text * (size // len(text) + 1))[:size]


def now():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class End:
    def __init__(self, connection, context, mode):
        self.connection, self.turn, self.text, self.full = connection, itertools.count(), b"", 0
        connection.setblocking(False)
        self.session = lib.SSL_new(context)
        lib.SSL_set_fd(self.session, connection.fileno())
        lib.SSL_ctrl(self.session, CTRL_MODE, mode, None)
        self.buffer = ctypes.create_string_buffer(20000)

    def until(self, call):
        """Repeats a call until it succeeds, as often as the socket has no room or nothing."""
        while True:
            n = call()
            if n > 0:
                return n
            error = lib.SSL_get_error(self.session, n)
            if error == WANT_READ:
                select.select([self.connection], [], [])
            elif error == WANT_WRITE:
                self.full = now()
                select.select([], [self.connection], [])
            else:
                raise SystemExit("the connection broke: %d" % error)

    def write(self, text):
        memory = ctypes.create_string_buffer(text, len(text))
        at, done = 0, size_t()
        while at < len(text):
            place, left = ctypes.addressof(memory) + at, len(text) - at
            if next(self.turn) % 2:
                self.until(lambda: lib.SSL_write_ex(self.session, place, left, ctypes.byref(done)))
                at += done.value
            else:
                at += self.until(lambda: lib.SSL_write(self.session, place, left))

    def read(self):
        turn, n = next(self.turn), size_t()
        if turn % 3 == 0:  # looks first
            self.until(lambda: lib.SSL_peek(self.session, self.buffer, 100))
        if turn % 2:
            self.until(lambda: lib.SSL_read_ex(self.session, self.buffer, 1 + turn * 977 % 20000, ctypes.byref(n)))
            self.text += self.buffer.raw[:n.value]
        else:
            got = self.until(lambda: lib.SSL_read(self.session, self.buffer, 1 + turn * 977 % 20000))
            self.text += self.buffer.raw[:got]
        while lib.SSL_has_pending(self.session):
            got = lib.SSL_read(self.session, self.buffer, 500)
            if got <= 0:
                break
            self.text += self.buffer.raw[:got]

    def message(self):
        """Reads a message of HTTP and returns its first line."""
        while b"\r\n\r\n" not in self.text:
            self.read()
        head, _, rest = self.text.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(self.text) - len(head) - 4 < length:
            self.read()
        self.text = self.text[len(head) + 4 + length:]
        return head.split(b"\r\n")[0].decode()


def serve(end, count, told):
    end.until(lambda: lib.SSL_accept(end.session))
    for _ in range(count):
        path = end.message().split(" ")[1]
        size = int(path.split("/")[3])
        status = 200 if path.startswith("/ok") else 404
        end.full = 0
        end.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, size) + body(size))
        told[path] = {"Full": end.full, "Written": now()}


def main(certificate, key, count, *how):
    waits, told = "wait" in how, {}
    context = lib.SSL_CTX_new(lib.TLS_method())
    if lib.SSL_CTX_use_certificate_chain_file(context, certificate.encode()) != 1 or \
            lib.SSL_CTX_use_PrivateKey_file(context, key.encode(), 1) != 1:
        raise SystemExit("no certificate")
    if "small" in how:
        lib.SSL_CTX_set_tlsext_max_fragment_length(context, LONGEST_512)
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    client = socket.socket()
    for option in socket.SO_RCVBUF, socket.SO_SNDBUF:
        client.setsockopt(socket.SOL_SOCKET, option, 8192)
    client.connect(listener.getsockname())
    accepted, _ = listener.accept()
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    server = threading.Thread(target=serve, args=(End(accepted, context, 0), int(count), told))
    server.start()
    end, outcomes = End(client, context, PARTIAL | MOVING), []
    end.until(lambda: lib.SSL_connect(end.session))
    for i in range(int(count)):
        if i == 1 and waits:
            print(listener.getsockname()[1], flush=True)
            sys.stdin.readline()
            outcomes = []
        path = "/%s/%d/%d" % ("no" if i % 5 == 3 else "ok", i, (i * 7919 % 11) ** 2 * 2000)
        size = (i * 104729 % 13) ** 2 * 1000
        text = b"POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (path.encode(), size)
        end.write(text + body(size))
        outcomes.append({"Method": "POST", "Path": path, "Status": int(end.message().split(" ")[1]), "Sent": len(text) + size})
    lib.SSL_shutdown(end.session)
    server.join()
    if not waits:
        print(listener.getsockname()[1], flush=True)
    print(json.dumps([{**o, **told[o["Path"]]} for o in outcomes]))


main(*sys.argv[1:])
