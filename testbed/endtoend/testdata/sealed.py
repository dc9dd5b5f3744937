"""HTTP over TLS by Python's two ways to encrypt.

sealed.py serve PORT       answers, with the certificate of its container
sealed.py ask PORT WORD    asks one thing after the other, and prints each path and what came of it
"""
import asyncio
import http.client
import ssl
import sys


async def answer(reader, writer):
    """Serves a connection through memory, as asyncio does."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            status = 200 if head.split(b" ")[1].startswith(b"/ok/") else 404
            writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 6\r\n\r\nhello\n" % status)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        writer.close()


async def serve(port):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("/etc/cert.pem", "/etc/key.pem")
    server = await asyncio.start_server(answer, "127.0.0.1", port, ssl=context)
    await server.serve_forever()


async def ask_by_events(port, paths, context):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    for path in paths:
        writer.write(b"GET %s HTTP/1.1\r\nHost: h\r\n\r\n" % path.encode())
        status = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        await reader.readexactly(6)
        print(path, status)
    writer.close()


def ask(port, word):
    context = ssl._create_unverified_context()
    paths = ["/%s/%s/%d" % ("ok" if k % 3 else "no", word, k) for k in range(8)]
    client = http.client.HTTPSConnection("127.0.0.1", port, context=context)
    for path in paths[:4]:
        client.request("GET", path)
        response = client.getresponse()
        response.read()
        print(path, response.status)
    client.close()
    asyncio.run(ask_by_events(port, paths[4:], context))


if sys.argv[1] == "serve":
    asyncio.run(serve(int(sys.argv[2])))
else:
    ask(int(sys.argv[2]), sys.argv[3])
