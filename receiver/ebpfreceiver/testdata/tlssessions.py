"""HTTP over OpenSSL's libssl by its functions in C, with what else happens in sessions.

tlssessions.py LIBRARY serve DIR PORT             answers, and asks clients for a certificate
tlssessions.py LIBRARY ask DIR PORT VERSION ACT...   VERSION: 1.2 or 1.3; prints each path and its status

Acts are done one after the other: a path is asked for; of its words "update" and "again"
have the server ask for new keys, or shake hands again, before it answers, and "refuse" has
it take no early data from the next connection. Other acts are update and again of the
client, and resume: the session goes on with a new connection. A path behind "early:" is
asked for with the first flight of such a connection, and once more if that is refused.
"""
import ctypes
import socket
import sys

ssl = ctypes.CDLL(sys.argv[1])
pointer, number, long, size = ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_size_t
for name, result, *arguments in (
    ("TLS_method", pointer), ("SSL_CTX_new", pointer, pointer), ("SSL_new", pointer, pointer),
    ("SSL_accept", number, pointer), ("SSL_connect", number, pointer), ("SSL_do_handshake", number, pointer),
    ("SSL_free", None, pointer), ("SSL_shutdown", number, pointer), ("SSL_set_fd", number, pointer, number),
    ("SSL_read", number, pointer, pointer, number), ("SSL_write", number, pointer, pointer, number),
    ("SSL_CTX_use_certificate_chain_file", number, pointer, ctypes.c_char_p),
    ("SSL_CTX_use_PrivateKey_file", number, pointer, ctypes.c_char_p, number),
    ("SSL_CTX_ctrl", long, pointer, number, long, pointer), ("SSL_CTX_set_options", ctypes.c_uint64, pointer, ctypes.c_uint64),
    ("SSL_CTX_set_verify", None, pointer, number, pointer), ("SSL_key_update", number, pointer, number),
    ("SSL_renegotiate", number, pointer), ("SSL_get1_session", pointer, pointer), ("SSL_set_session", number, pointer, pointer),
    ("SSL_session_reused", number, pointer), ("SSL_CTX_set_max_early_data", number, pointer, ctypes.c_uint32),
    ("SSL_write_early_data", number, pointer, pointer, size, pointer), ("SSL_read_early_data", number, pointer, pointer, size, pointer),
    ("SSL_get_early_data_status", number, pointer), ("SSL_set_connect_state", None, pointer), ("SSL_CTX_set_session_id_context", number, pointer, ctypes.c_char_p, number),
):
    function = getattr(ssl, name)
    function.restype, function.argtypes = result, arguments
PEM = 1
VERIFY_PEER, FAIL_IF_NO_CERTIFICATE = 1, 2
CTRL_MAX_VERSION = 124
ALLOW_CLIENT_RENEGOTIATION, NO_ANTI_REPLAY = 1 << 8, 1 << 24
KEY_UPDATE_REQUESTED = 1
EARLY_READ, EARLY_FINISHED = 1, 2
EARLY_REFUSED = 1
context = ssl.SSL_CTX_new(ssl.TLS_method())
trusting = ctypes.CFUNCTYPE(number, number, pointer)(lambda ok, store: 1)


def must(ok, what):
    if ok != 1:
        raise SystemExit("failed: " + what)


def identify(directory):
    must(ssl.SSL_CTX_use_certificate_chain_file(context, (directory + "/cert.pem").encode()), "certificate")
    must(ssl.SSL_CTX_use_PrivateKey_file(context, (directory + "/key.pem").encode(), PEM), "key")


def session(connection, shake, resumed=None, early=b""):
    s = ssl.SSL_new(context)
    ssl.SSL_set_fd(s, connection.fileno())
    if resumed:
        ssl.SSL_set_session(s, resumed)
    if early:
        ssl.SSL_set_connect_state(s)
        must(ssl.SSL_write_early_data(s, early, len(early), ctypes.byref(size())), "early data")
    must(shake(s), "handshake")
    if early and ssl.SSL_get_early_data_status(s) == EARLY_REFUSED:
        ssl.SSL_write(s, early, len(early))
    return s


def accept(s, buffer):
    """Shakes hands; returns what came with the client's first flight."""
    text, n = b"", size()
    while (state := ssl.SSL_read_early_data(s, buffer, len(buffer), ctypes.byref(n))) == EARLY_READ:
        text += buffer.raw[:n.value]
    must(state == EARLY_FINISHED, "early data")
    return text


def update(s):
    must(ssl.SSL_key_update(s, KEY_UPDATE_REQUESTED), "key update")
    must(ssl.SSL_do_handshake(s), "key update")


def again(s):
    must(ssl.SSL_renegotiate(s), "renegotiation")
    must(ssl.SSL_do_handshake(s), "renegotiation")


def head(s, buffer):
    """Reads a head and what comes with it; empty at the end of the connection."""
    text = b""
    while b"\r\n\r\n" not in text:
        n = ssl.SSL_read(s, buffer, len(buffer))
        if n <= 0:
            return b""
        text += buffer.raw[:n]
    return text


def serve(directory, port):
    identify(directory)
    ssl.SSL_CTX_set_options(context, ALLOW_CLIENT_RENEGOTIATION | NO_ANTI_REPLAY)
    ssl.SSL_CTX_set_session_id_context(context, b"test", 4)
    ssl.SSL_CTX_set_verify(context, VERIFY_PEER | FAIL_IF_NO_CERTIFICATE, trusting)
    ssl.SSL_CTX_set_max_early_data(context, 16384)
    buffer, refuses = ctypes.create_string_buffer(16384), False
    with socket.create_server(("127.0.0.1", port)) as listener:
        while True:
            connection, _ = listener.accept()
            if not connection.recv(1, socket.MSG_PEEK):  # somebody has looked whether this listens
                continue
            early = b""
            if refuses:
                s = session(connection, ssl.SSL_accept)
            else:
                s = ssl.SSL_new(context)
                ssl.SSL_set_fd(s, connection.fileno())
                early = accept(s, buffer)
                must(ssl.SSL_accept(s), "handshake")
            refuses = False
            while text := early or head(s, buffer):
                early = b""
                path = text.split(b" ")[1].decode()
                if "/update/" in path:
                    update(s)
                if "/again/" in path:
                    again(s)
                refuses |= "/refuse/" in path
                answer = b"HTTP/1.1 %d X\r\nContent-Length: 6\r\n\r\nhello\n" % (200 if path.startswith("/ok/") else 404)
                ssl.SSL_write(s, answer, len(answer))
            ssl.SSL_free(s)
            connection.close()


def question(path, port):
    return b"GET %s HTTP/1.1\r\nHost: localhost:%d\r\n\r\n" % (path.encode(), port)


def status(s, buffer):
    answer = head(s, buffer)
    if not answer:
        raise SystemExit("no answer")
    return answer.split(b" ")[1].decode()


def ask(directory, port, version, acts):
    identify(directory)
    must(ssl.SSL_CTX_ctrl(context, CTRL_MAX_VERSION, {"1.2": 0x303, "1.3": 0x304}[version], None), "version")
    connection = socket.create_connection(("127.0.0.1", port))
    s = session(connection, ssl.SSL_connect)
    buffer = ctypes.create_string_buffer(16384)
    for act in acts:
        if act == "update":
            update(s)
        elif act == "again":
            again(s)
        elif act == "resume" or act.startswith("early:"):
            resumed = ssl.SSL_get1_session(s)
            ssl.SSL_shutdown(s)
            ssl.SSL_free(s)
            connection.close()
            connection = socket.create_connection(("127.0.0.1", port))
            path = act[len("early:"):] if act != "resume" else ""
            s = session(connection, ssl.SSL_connect, resumed, question(path, port) if path else b"")
            must(ssl.SSL_session_reused(s), "resumption")
            if path:
                print(path, status(s, buffer))
        else:
            text = question(act, port)
            ssl.SSL_write(s, text, len(text))
            print(act, status(s, buffer))
    ssl.SSL_shutdown(s)
    ssl.SSL_free(s)


if sys.argv[2] == "serve":
    serve(sys.argv[3], int(sys.argv[4]))
else:
    ask(sys.argv[3], int(sys.argv[4]), sys.argv[5], sys.argv[6:])
