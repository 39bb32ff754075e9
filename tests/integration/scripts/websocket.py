"""A WebSocket server and client by `websockets`.

websocket.py serve ADDRESS HOST: echoes; "close 4002 why" makes it close with that code and reason.
websocket.py talk ADDRESS HOST: speaks with it as HOST and prints what came of it as JSON. With WEBSOCKET_ROOT in the
environment it comes over TLS.
"""
import asyncio
import json
import os
import ssl
import sys

import websockets

ROLE, ADDRESS, HOST = sys.argv[1:4]
PLACE, PORT = ADDRESS.rsplit(":", 1)
PATIENCE_SECONDS = 20


async def echo(connection):
    async for message in connection:
        if isinstance(message, str) and message.startswith("close "):
            _, code, why = message.split(" ", 2)
            await connection.close(int(code), why)
            return
        await connection.send(message)


async def serve():
    async with websockets.serve(echo, PLACE, int(PORT), max_size=None, subprotocols=["chat"]):
        print("serving", flush=True)
        await asyncio.Future()


def connect():
    settings = {"host": PLACE, "port": int(PORT), "max_size": None, "subprotocols": ["chat"]}
    if "WEBSOCKET_ROOT" in os.environ:
        settings |= {"ssl": ssl.create_default_context(cafile=os.environ["WEBSOCKET_ROOT"]), "server_hostname": "ws.test"}
        return websockets.connect(f"wss://{HOST}/chat", **settings)
    return websockets.connect(f"ws://{HOST}/chat", **settings)


async def echoed(connection, message):
    await connection.send(message)
    answer = await connection.recv()
    assert answer == message, f"sent {len(message)}, received {len(answer)}"
    return answer


async def many(connection, count):
    async def send():
        for index in range(count):
            await connection.send(f"message {index}")

    sending = asyncio.create_task(send())
    for index in range(count):
        assert await connection.recv() == f"message {index}"
    await sending
    return count


async def talk():
    told = {}
    async with connect() as connection:
        told["protocol"] = connection.subprotocol
        told["text"] = await echoed(connection, "grüße")
        told["binary"] = len(await echoed(connection, bytes(range(256))))
        told["large"] = len(await echoed(connection, os.urandom(4_000_000)))
        told["messages"] = await many(connection, 500)
        told["ping"] = (await (await connection.ping(b"are you there"))) >= 0
        await connection.close(4001, "enough")
        told["closed_by_client"] = connection.close_code
    async with connect() as connection:
        await connection.send("close 4002 as asked")
        try:
            await connection.recv()
        except websockets.ConnectionClosed as closed:
            told["closed_by_server"] = [closed.rcvd.code, closed.rcvd.reason]
    print(json.dumps(told))


asyncio.run(serve() if ROLE == "serve" else asyncio.wait_for(talk(), PATIENCE_SECONDS))
