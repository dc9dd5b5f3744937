"""ways.py [WAY...]: both ends of connections of HTTP, one for each way to move bytes over
a socket. Prints its port and, when a line has come, what was asked, as JSON; then waits
for another line. Ways that the system does not allow are left out, which it says."""
import ctypes
import fcntl
import json
import os
import select
import socket
import struct
import sys
import threading
import time

MSG_FASTOPEN, MSG_ZEROCOPY, SO_ZEROCOPY, MPTCP, FASTOPEN = 0x20000000, 0x4000000, 60, 262, 23
ROUNDS, SIZE = 6, 3000
libc = ctypes.CDLL(None, use_errno=True)


def now():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def body(size):
    """What looks like messages: whoever loses his place tells of them."""
    text = b"POST /secret HTTP/1.1\r\n\r\nHTTP/1.1 200 secret\r\n\r\n"
    return (text * (size // len(text) + 1))[:size]


class IOVec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


class Header(ctypes.Structure):
    """A struct mmsghdr."""
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint32), ("iov", ctypes.POINTER(IOVec)), ("iovlen", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("controllen", ctypes.c_size_t), ("flags", ctypes.c_size_t), ("got", ctypes.c_size_t)]


def headers(buffers):
    """An array of struct mmsghdr with a message of one buffer for each."""
    assert ctypes.sizeof(Header) == 64
    parts = [IOVec(ctypes.addressof(b), len(b)) for b in buffers]
    return (Header * len(buffers))(*[Header(iov=ctypes.pointer(p), iovlen=1) for p in parts]), parts


# How to send: all of it.

def send_plain(s, text):
    s.sendall(text)


def send_parts(s, text):
    parts = [b"", text[:7], b"", b"", text[7:]]
    assert s.sendmsg(parts) == len(text)


def send_writev(s, text):
    assert os.writev(s.fileno(), [b"", b""] + [text[i:i + 50] for i in range(0, len(text), 50)]) == len(text)


def send_more(s, text):
    s.send(text[:10], socket.MSG_MORE)
    s.send(text[10:25], socket.MSG_MORE)
    s.sendall(text[25:])


def send_mmsg(s, text):
    buffers = [ctypes.create_string_buffer(t, len(t)) for t in (text[:10], text[10:25], text[25:]) if t]
    messages, parts = headers(buffers)
    assert libc.sendmmsg(s.fileno(), messages, len(messages), 0) == len(messages)


def send_zerocopy(s, text):
    s.setsockopt(socket.SOL_SOCKET, SO_ZEROCOPY, 1)
    memory = bytes(text)
    assert s.send(memory, MSG_ZEROCOPY) == len(text)
    poll = select.poll()
    poll.register(s, select.POLLERR)
    poll.poll(1000)
    try:
        s.recvmsg(1000, 1000, socket.MSG_ERRQUEUE)
    except BlockingIOError:
        pass


def send_nowait(s, text):
    while text:
        try:
            text = text[s.send(text[:997], socket.MSG_DONTWAIT):]
        except BlockingIOError:
            select.select([], [s], [])


def send_dup(s, text):
    for part in text[:40], text[40:]:
        fd = os.dup(s.fileno())
        other = os.open(os.devnull, os.O_WRONLY)
        os.dup2(fd, other)
        os.close(fd)
        while part:
            part = part[os.write(other, part):]
        os.close(other)


def send_thread(s, text):
    t = threading.Thread(target=s.sendall, args=(text,))
    t.start()
    t.join()


def send_fork(s, text):
    pid = os.fork()
    if not pid:
        s.sendall(text)
        os._exit(0)
    os.waitpid(pid, 0)


def send_pass(s, text):
    """By a process to which the socket is handed over."""
    here, there = socket.socketpair()
    pid = os.fork()
    if not pid:
        _, fds, _, _ = socket.recv_fds(there, 1, 1)
        socket.socket(fileno=fds[0]).sendall(text)
        os._exit(0)
    socket.send_fds(here, [b"!"], [s.fileno()])
    os.waitpid(pid, 0)
    here.close()
    there.close()


def send_splice(s, text):
    """The body by the kernel, through two pipes."""
    head, _, rest = text.partition(b"\r\n\r\n")
    s.sendall(head + b"\r\n\r\n")
    if not rest:
        return
    out, into = os.pipe()
    out2, into2 = os.pipe()
    os.write(into, rest)
    assert libc.tee(out, into2, len(rest), 0) == len(rest)
    left = len(rest)
    while left:
        left -= libc.splice(out2, None, s.fileno(), None, left, 0)
    for fd in out, into, out2, into2:
        os.close(fd)


# How to receive: at least one byte, at most n, if it is known how many there are.

def recv_plain(s, n):
    return s.recv(65536)


def recv_peek(s, n):
    s.recv(65536, socket.MSG_PEEK)
    return s.recv(65536)


def recv_exact(s, n):
    """As a server does that peeks for the end of the head."""
    seen = s.recv(65536, socket.MSG_PEEK)
    at = seen.find(b"\r\n\r\n")
    return s.recv(at + 4 if n is None and at >= 0 else n or 1)


def recv_waitall(s, n):
    return s.recv(n or 1, socket.MSG_WAITALL)


def recv_nowait(s, n):
    while True:
        try:
            return s.recv(700, socket.MSG_DONTWAIT)
        except BlockingIOError:
            select.select([s], [], [])


def recv_readv(s, n):
    parts = [bytearray(0), bytearray(10), bytearray(0)] + [bytearray(90) for _ in range(20)]
    got = os.readv(s.fileno(), parts)
    return b"".join(parts)[:got]


def recv_msg(s, n):
    """Looks first, and takes it by several buffers."""
    s.recvmsg(65536, 1000, socket.MSG_PEEK)
    parts = [bytearray(0), bytearray(10), bytearray(0), bytearray(700)]
    got = s.recvmsg_into(parts, 1000)[0]
    return b"".join(parts)[:got]


def recv_empty(s, n):
    """Asks for nothing before."""
    s.recv(0)
    os.readv(s.fileno(), [bytearray(0), bytearray(0)])
    s.recvmsg(0)
    s.recvmsg_into([])
    return s.recv(65536)


def recv_mmsg(s, n):
    buffers = [ctypes.create_string_buffer(300) for _ in range(4)]
    messages, parts = headers(buffers)
    got = libc.recvmmsg(s.fileno(), messages, len(messages), 0x10000, None)  # MSG_WAITFORONE
    return b"".join(buffers[i].raw[:messages[i].got] for i in range(got))


def recv_trunc(s, n):
    """Discards the body, which leaves the buffer as it was."""
    if n is None:
        return recv_exact(s, n)
    stale = ctypes.create_string_buffer(b"GET /stale HTTP/1.1\r\n\r\n", 5000)
    got = libc.recv(s.fileno(), stale, n, socket.MSG_TRUNC)
    return b"x" * got


def recv_dup(s, n):
    fd = os.dup(s.fileno())
    try:
        return os.read(fd, 65536)
    finally:
        os.close(fd)


def recv_fork(s, n):
    out, into = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(into, s.recv(8192))
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(into)
    text = os.read(out, 65536)
    os.close(out)
    return text


def recv_splice(s, n):
    if n is None:
        return recv_exact(s, n)
    out, into = os.pipe()
    got = libc.splice(s.fileno(), None, into, None, n, 0)
    os.close(out)
    os.close(into)
    return b"x" * got


class End:
    def __init__(self, s, way):
        self.s, self.text = s, b""
        self.send = globals().get("send_" + way, send_plain)
        self.recv = globals().get("recv_" + way, recv_plain)

    def message(self):
        """Reads a message and returns its first line; None at the end."""
        while b"\r\n\r\n" not in self.text:
            got = self.recv(self.s, None)
            if not got:
                return None
            self.text += got
        head, _, _ = self.text.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(self.text) - len(head) - 4 < length:
            self.text += self.recv(self.s, length - (len(self.text) - len(head) - 4))
        self.text = self.text[len(head) + 4 + length:]
        return head.split(b"\r\n")[0].decode()


def serve(end):
    while True:
        line = end.message()
        if line is None:
            end.s.close()
            return
        i = int(line.split(" ")[1].split("/")[2])
        size = SIZE if i % 2 else 0
        status = 404 if i % 3 == 2 else 200
        end.send(end.s, b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, size) + body(size))


def ask(end, way, outcomes):
    i = len(outcomes)
    path = "/%s/%d" % (way, i)
    size = SIZE if i % 3 == 1 else 0
    start = now()
    end.send(end.s, b"POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (path.encode(), size) + body(size))
    if way == "half":
        end.s.shutdown(socket.SHUT_WR)
    line = end.message()
    outcomes.append({"Method": "POST", "Path": path, "Status": int(line.split(" ")[1]), "Start": start, "End": now()})


def connect(addr, way):
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, MPTCP if way == "mptcp" else 0)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.connect(addr)
    return s


# Of segments that nothing but acknowledge none passes: the byte of their flags decides.
DROPS = b"".join(struct.pack("HBBI", *i) for i in ((0x30, 0, 0, 13), (0x15, 0, 1, 0x10), (6, 0, 0, 0), (6, 0, 0, 0xffffffff)))


def listen_fast(port):
    """Listens where who knows this server may send with the first segment: in a network
    of its own, for it is the network that allows that."""
    if libc.unshare(0x40000000):
        raise OSError(ctypes.get_errno(), "unshare")
    with open("/proc/sys/net/ipv4/tcp_fastopen", "w") as f:
        f.write("3")
    with socket.socket() as s:  # SIOCSIFFLAGS: up and running
        fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x41))
    listener = socket.create_server(("127.0.0.1", port))
    listener.setsockopt(socket.IPPROTO_TCP, FASTOPEN, 10)
    return listener


def lose(listener):
    """The server answers from now on before it learns that its client is there: what it
    accepts has the filter of the listener."""
    program = ctypes.create_string_buffer(DROPS, len(DROPS))
    listener.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HxxxxxxQ", len(DROPS) // 8, ctypes.addressof(program)))


class Fast:
    """Connects by its first send; what is left of the message follows when the server has read that."""
    def __init__(self, addr):
        self.addr, self.s = addr, socket.socket()

    def sendall(self, text):
        if self.addr:
            assert self.s.sendto(text[:30], MSG_FASTOPEN, self.addr) == 30
            self.addr, text = None, text[30:]
            time.sleep(0.05)
        self.s.sendall(text)

    def __getattr__(self, name):
        return getattr(self.s, name)


WAYS = ("plain parts writev more msg mmsg zerocopy nowait dup thread fork pass splice peek exact waitall readv empty trunc half mptcp fastopen").split()


def main(*ways):
    outcomes = []
    ways = list(ways or WAYS)
    try:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, MPTCP)
    except OSError as e:
        print("no connections over several paths:", e, file=sys.stderr)
        listener = socket.socket()
        ways.remove("mptcp")
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    port = listener.getsockname()[1]
    print(port, flush=True)
    sys.stdin.readline()
    for way in ways:
        if way == "fastopen":
            try:
                listener = listen_fast(port)
            except OSError as e:
                print("no data with the first segment:", e, file=sys.stderr)
                continue
        addr = listener.getsockname()
        for turn in range({"half": ROUNDS, "fastopen": 2}.get(way, 1)):
            if way == "fastopen":
                if turn:
                    lose(listener)
                client = End(Fast(addr), way)
                t = threading.Thread(target=lambda: serve(End(listener.accept()[0], way)))
            else:
                client = End(connect(addr, way), way)
                t = threading.Thread(target=serve, args=(End(listener.accept()[0], way),))
            t.start()
            for _ in range(1 if way == "half" else ROUNDS):
                ask(client, way, outcomes)
            if way == "fork":  # whoever waits has the other end, too
                client.s.shutdown(socket.SHUT_RDWR)
            client.s.close()
            t.join()
    print(json.dumps(outcomes), flush=True)
    sys.stdin.readline()


main(*sys.argv[1:])
