"""A WebSocket server and client by `websockets`.

websocket.py serve ADDRESS HOST: answers commands, and echoes whatever is none.
websocket.py talk ADDRESS HOST: speaks with it as HOST and prints what came of each case as JSON. With WEBSOCKET_ROOT in the
environment it comes over TLS.
"""
import asyncio
import contextlib
import hashlib
import json
import os
import ssl
import sys

import websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

ROLE, ADDRESS, HOST = sys.argv[1:4]
PLACE, PORT = ADDRESS.rsplit(":", 1)
PATIENCE_SECONDS = 90
SMALL_BYTES_MAX = 1000

# How the connections ended whose client gave them a name.
endings = {}


def pieces(lengths):
    return [bytes([index % 256]) * length for index, length in enumerate(lengths)]


# --- server


async def command(connection, words):
    """Answers a command; says whether it was one."""
    match words:
        case ["close", code, *why]:
            await connection.close(int(code), " ".join(why))
        case ["drop"]:
            connection.transport.abort()
        case ["fragments", *lengths]:
            await connection.send(pieces(map(int, lengths)))
        case ["received-fragments"]:
            lengths = [len(piece) async for piece in connection.recv_streaming()]
            await connection.send(json.dumps(lengths))
        case ["ping-me", payload]:
            await (await connection.ping(payload))
            await connection.send("your pong came")
        case ["field", name]:
            await connection.send(connection.request.headers.get(name, "none"))
        case ["call-me", name]:
            endings[name] = None
            await connection.wait_closed()
            endings[name] = [connection.close_code, connection.close_reason]
        case ["ending-of", name]:
            while endings.get(name) is None:
                await asyncio.sleep(0.01)
            await connection.send(json.dumps(endings.pop(name)))
        case _:
            return False
    return True


async def answer(connection):
    # However it ends: the client tells, or asks.
    with contextlib.suppress(ConnectionClosed):
        async for message in connection:
            is_text = isinstance(message, str) and len(message) < SMALL_BYTES_MAX
            if not (is_text and await command(connection, message.split(" "))):
                await connection.send(message)


def admit(connection, request):
    return connection.respond(403, "not you\n") if request.path == "/forbidden" else None


async def serve():
    here = {"host": PLACE, "port": int(PORT), "subprotocols": ["chat"], "process_request": admit}
    async with websockets.serve(answer, **here, max_size=None):
        print("serving", flush=True)
        await asyncio.Future()


# --- client


def connect(path="chat", **more):
    settings = {"host": PLACE, "port": int(PORT), "max_size": None, "subprotocols": ["chat"], "proxy": None} | more
    if "WEBSOCKET_ROOT" in os.environ:
        settings |= {"ssl": ssl.create_default_context(cafile=os.environ["WEBSOCKET_ROOT"]), "server_hostname": "ws.test"}
        return websockets.connect(f"wss://{HOST}/{path}", **settings)
    return websockets.connect(f"ws://{HOST}/{path}", **settings)


async def asked(connection, words):
    await connection.send(words)
    return await connection.recv()


async def echoes():
    """Messages at the borders of the three forms of a frame's length, and larger than any buffer."""
    told = {}
    async with connect(compression=None) as connection:
        assert await asked(connection, "grüße 😀") == "grüße 😀"
        for length in (0, 1, 125, 126, 65_535, 65_536, 1_000_000, 16_000_000):
            answer = await asked(connection, os.urandom(16) * (length // 16) + bytes(length % 16))
            told[length] = len(answer)
        large = hashlib.shake_128(b"large").digest(16_000_000)
        told["same"] = await asked(connection, large) == large
    return told


async def many_messages():
    async with connect() as connection:
        async def send():
            for index in range(500):
                await connection.send(f"message {index}")

        sending = asyncio.create_task(send())
        told = [await connection.recv() == f"message {index}" for index in range(500)]
        await sending
        return told.count(True)


async def many_connections():
    async def one(number):
        async with connect() as connection:
            return [await asked(connection, f"{number}: {index}") for index in range(10)] == [
                f"{number}: {index}" for index in range(10)
            ]

    return (await asyncio.gather(*map(one, range(30)))).count(True)


async def fragments_sent():
    lengths = [1, 0, 126, 65_536, 3, 200_000]
    async with connect(compression=None) as connection:
        await connection.send("received-fragments")
        await connection.send(pieces(lengths))
        return json.loads(await connection.recv())


async def fragments_received():
    async with connect(compression=None) as connection:
        await connection.send("fragments 1 0 126 65536 3 200000")
        return [len(piece) async for piece in connection.recv_streaming()]


async def pings_between_fragments():
    async with connect(compression=None) as connection:
        pongs = []

        async def parts():
            for part in pieces([10, 20, 30]):
                pongs.append(await connection.ping(part[:5]))
                yield part

        await connection.send("received-fragments")
        await connection.send(parts())
        lengths = json.loads(await connection.recv())
        return [lengths, [(await pong) >= 0 for pong in pongs]]


async def pings():
    async with connect() as connection:
        told = [(await (await connection.ping(payload))) >= 0 for payload in (b"", b"x", b"y" * 125)]
        await connection.pong(b"nobody asked")
        return told + [await asked(connection, "ping-me are-you-there")]


async def closed_by_client():
    """What the server learned of each way to close."""
    told = []
    for index, code in enumerate((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)):
        name = f"{os.getpid()}-{index}"
        why = "" if index == 0 else "ü" * 61
        async with connect() as connection:
            await connection.send(f"call-me {name}")
            await connection.close(code, why)
            ending = [connection.close_code, connection.close_reason]
        async with connect() as connection:
            told.append([ending, json.loads(await asked(connection, f"ending-of {name}"))])
    return told


async def closed_by_server():
    told = []
    for words in ("close 1000", "close 1001 going away", "close 1011 broken", "close 4002 as asked: %", "drop"):
        async with connect() as connection:
            told.append([words, await ending(connection, connection.send(words))])
    return told


async def ending(connection, act):
    """How the connection ends after the act: code and reason as received, or that none came."""
    try:
        await act
        while True:
            await connection.recv()
    except ConnectionClosed as closed:
        return [closed.rcvd.code, closed.rcvd.reason] if closed.rcvd else "no close frame"


async def frames_that_are_wrong():
    """Bad UTF-8, a reserved operation code, a control frame that is too long, and no mask."""
    told = []
    for frame in ("8182000000ffffff", "838000000000", "89fe007e00000000" + "00" * 126, "810161"):
        async with connect(compression=None) as connection:
            connection.transport.write(bytes.fromhex(frame))
            told.append(await ending(connection, asyncio.sleep(0)))
    return told


async def too_big():
    async with connect(max_size=SMALL_BYTES_MAX) as connection:
        try:
            await asked(connection, "x" * (SMALL_BYTES_MAX + 1))
        except ConnectionClosed as closed:
            return closed.sent.code


async def handshakes():
    told = {}
    async with connect() as connection:
        told["chat"] = connection.subprotocol
        told["extensions"] = [extension.name for extension in connection.protocol.extensions]
        told["compressed"] = len(await asked(connection, "a" * 1_000_000))
    plain = {"subprotocols": ["other", "chat"], "compression": None, "additional_headers": {"X-Case": 'a, b;c="d"'}}
    async with connect(**plain) as connection:
        told["plain"] = [connection.subprotocol, connection.protocol.extensions]
        told["field"] = await asked(connection, "field x-case")
        told["host"] = await asked(connection, "field host")
    told["forbidden"] = await refused(connect("forbidden"))
    told["other"] = await refused(connect(subprotocols=["other"]))
    told["none"] = await refused(connect(subprotocols=None))
    return told


async def refused(opening):
    try:
        async with opening:
            return "was let in"
    except InvalidStatus as refusal:
        return [refusal.response.status_code, refusal.response.body.decode()]


CASES = (
    handshakes, echoes, many_messages, many_connections, fragments_sent, fragments_received, pings_between_fragments, pings,
    closed_by_client, closed_by_server, frames_that_are_wrong, too_big,
)


async def talk():
    print(json.dumps({case.__name__: await case() for case in CASES}))


asyncio.run(serve() if ROLE == "serve" else asyncio.wait_for(talk(), PATIENCE_SECONDS))
