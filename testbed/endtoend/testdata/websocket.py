"""websocket.py server: echoes on a free port, which it prints.
websocket.py ADDRESS PATH: talks to it."""
import asyncio
import sys

import websockets


async def echo(connection):
    async for message in connection:
        await connection.send(message)


async def serve():
    async with websockets.serve(echo, "127.0.0.1", 0) as server:
        print("127.0.0.1:%d" % server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


async def talk(address, path):
    async with websockets.connect("ws://" + address + path) as connection:
        for n in range(5):
            await connection.send("message %d" % n)
            assert await connection.recv() == "message %d" % n
            await asyncio.sleep(0.1)


asyncio.run(serve() if sys.argv[1] == "server" else talk(*sys.argv[1:]))
