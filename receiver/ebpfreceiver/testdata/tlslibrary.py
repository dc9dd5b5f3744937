"""HTTP over a shared library with OpenSSL's interface, by its functions in C.

tlslibrary.py LIBRARY serve DIR PORT       answers as nginxTLS does and notes the same
tlslibrary.py LIBRARY ask PORT PATH...     asks for the paths on one connection
"""
import ctypes
import socket
import sys

ssl = ctypes.CDLL(sys.argv[1])
for name in ("TLS_method", "SSL_CTX_new", "SSL_new"):
    getattr(ssl, name).restype = ctypes.c_void_p
pointer, number = ctypes.c_void_p, ctypes.c_int
ssl.SSL_CTX_new.argtypes = ssl.SSL_new.argtypes = ssl.SSL_accept.argtypes = [pointer]
ssl.SSL_connect.argtypes = ssl.SSL_free.argtypes = ssl.SSL_shutdown.argtypes = [pointer]
ssl.SSL_set_fd.argtypes = [pointer, number]
ssl.SSL_read.argtypes = ssl.SSL_write.argtypes = [pointer, pointer, number]
ssl.SSL_CTX_use_certificate_chain_file.argtypes = [pointer, ctypes.c_char_p]
ssl.SSL_CTX_use_PrivateKey_file.argtypes = [pointer, ctypes.c_char_p, number]
PEM = 1
context = ssl.SSL_CTX_new(ssl.TLS_method())


def session(connection, shake):
    s = ssl.SSL_new(context)
    ssl.SSL_set_fd(s, connection.fileno())
    if shake(s) != 1:
        raise SystemExit("the handshake failed")
    return s


def head(s, buffer):
    """Reads up to the end of a head; empty at the end of the connection."""
    text = b""
    while b"\r\n\r\n" not in text:
        n = ssl.SSL_read(s, buffer, len(buffer))
        if n <= 0:
            return b""
        text += buffer.raw[:n]
    return text


def serve(directory, port):
    if ssl.SSL_CTX_use_certificate_chain_file(context, (directory + "/cert.pem").encode()) != 1:
        raise SystemExit("no certificate")
    if ssl.SSL_CTX_use_PrivateKey_file(context, (directory + "/key.pem").encode(), PEM) != 1:
        raise SystemExit("no key")
    buffer = ctypes.create_string_buffer(16384)
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            connection, _ = listener.accept()
            if not connection.recv(1, socket.MSG_PEEK):  # somebody has looked whether this listens
                continue
            s = session(connection, ssl.SSL_accept)
            while text := head(s, buffer):
                path = text.split(b" ")[1].decode()
                status = 200 if path.startswith("/ok/") else 404
                with open(directory + "/access.log", "a") as log:
                    log.write("%s %d\n" % (path, status))
                answer = b"HTTP/1.1 %d X\r\nContent-Length: 6\r\n\r\nhello\n" % status
                ssl.SSL_write(s, answer, len(answer))
            ssl.SSL_free(s)
            connection.close()


def ask(port, *paths):
    connection = socket.create_connection(("127.0.0.1", port))
    s = session(connection, ssl.SSL_connect)
    buffer = ctypes.create_string_buffer(16384)
    for path in paths:
        question = b"GET %s HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % (path.encode(), port)
        ssl.SSL_write(s, question, len(question))
        if not head(s, buffer):
            raise SystemExit("no answer")
    ssl.SSL_shutdown(s)
    ssl.SSL_free(s)


if sys.argv[2] == "serve":
    serve(sys.argv[3], int(sys.argv[4]))
else:
    ask(int(sys.argv[3]), *sys.argv[4:])
