"""A server of HTTP on a free port, which it prints, until its input ends. The
kernel moves the bodies: those of responses out of a file, those of requests out
of sight."""
import os
import socket
import sys
import tempfile
import threading

FILE = tempfile.TemporaryFile()
FILE.write(bytes(1 << 20))
FILE.flush()
NULL = os.open(os.devnull, os.O_WRONLY)


def move(source, to, n, offset=None):
    out, into = os.pipe()
    while n:
        held = os.splice(source, into, min(n, 32768), offset)
        if offset is not None:
            offset += held
        n -= held
        while held:
            held -= os.splice(out, to, held)
    os.close(out)
    os.close(into)


def head(connection):
    text = b""
    while not text.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return None
        text += byte
    return text.decode()


def serve(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        request = head(connection)
        if request is None:
            return
        lines = request.split("\r\n")
        length = [int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:")]
        if length:
            move(connection.fileno(), NULL, length[0])
        method, path, _ = lines[0].split()
        size = int(path.split("/")[2]) if path.startswith("/bytes/") else 0
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        if method != "HEAD":
            move(FILE.fileno(), connection.fileno(), size, 0)


def accept(listener):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


listener = socket.create_server(("127.0.0.1", 0))
print("127.0.0.1:%d" % listener.getsockname()[1], flush=True)
threading.Thread(target=accept, args=(listener,), daemon=True).start()
sys.stdin.read()
