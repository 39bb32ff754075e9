"""An HTTP/3 client that is not ours (aioquic): does what a list of cases says and tells what came of it.

Arguments: address, port, the file of the cases (JSON). Written is one JSON object per case, in order.

A case: {"name", "together": bool, "move": bool, "certificate": file, "requests": [request]}. Requests go over one connection, one after the
other or together; "move" gives the connection a new port before each but the first, and "until_closed"
waits for the other side to close it. A request: {"method", "path", "fields", "body":
text, "bytes": count, "trailers", "stop": bool, "reset": bool, "raw": fields instead of all others, "frames": hex sent on
the stream instead of a message}.
"""

import asyncio
import hashlib
import json
import ssl
import sys

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, StopSendingReceived, StreamReset

DEADLINE = 5
# What differs from one run to the next, or names who answered.
OWN = {"date", "server", "x-envoy-upstream-service-time", "alt-svc"}


def text(fields):
    told = [[name.decode("latin1"), value.decode("latin1")] for name, value in fields]
    return [field for field in told if field[0] not in OWN]


class Answer:
    def __init__(self):
        self.interim, self.fields, self.trailers, self.body = [], None, None, b""
        self.reset, self.stopped, self.alternative = None, None, ""
        self.head = asyncio.Event()
        self.done = asyncio.Event()

    def told(self):
        told = {"interim": self.interim, "fields": self.fields, "length": len(self.body)}
        if self.alternative:
            told["alternative"] = self.alternative
        if len(self.body) <= 200:
            told["body"] = self.body.decode("latin1")
        else:
            told["sha256"] = hashlib.sha256(self.body).hexdigest()
        if self.trailers is not None:
            told["trailers"] = self.trailers
        if self.reset is not None:
            told["reset"] = self.reset
        if not self.done.is_set():
            told["unfinished"] = True
        return told


class Http(H3Connection):
    """An answer to HEAD has no body, whatever length it tells (RFC 9110 section 8.6)."""

    def __init__(self, quic):
        super().__init__(quic)
        self.heads = set()

    def _check_content_length(self, stream):
        if stream.stream_id not in self.heads:
            super()._check_content_length(stream)


class Client(QuicConnectionProtocol):
    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.http = Http(self._quic)
        self.answers = {}
        self.closed = None

    def quic_event_received(self, event):
        if isinstance(event, ConnectionTerminated):
            self.closed = event.error_code
            for answer in self.answers.values():
                answer.head.set()
                answer.done.set()
        elif isinstance(event, StreamReset) and event.stream_id in self.answers:
            answer = self.answers[event.stream_id]
            answer.reset = event.error_code
            answer.head.set()
            answer.done.set()
        elif isinstance(event, StopSendingReceived) and event.stream_id in self.answers:
            self.answers[event.stream_id].stopped = event.error_code
        for event in self.http.handle_event(event):
            if isinstance(event, (HeadersReceived, DataReceived)):
                self.received(self.answers[event.stream_id], event)

    def received(self, answer, event):
        if isinstance(event, DataReceived):
            answer.body += event.data
        elif answer.fields is not None:
            answer.trailers = text(event.headers)
        else:
            fields = text(event.headers)
            if dict(fields)[":status"].startswith("1"):
                answer.interim.append(fields)
            else:
                answer.fields = fields
                answer.alternative = dict(event.headers).get(b"alt-svc", b"").decode()
                answer.head.set()
        if event.stream_ended:
            answer.done.set()

    async def ask(self, request):
        quic, http = self._quic, self.http
        if self.closed is not None:
            return Answer().told()
        stream = quic.get_next_available_stream_id()
        answer = self.answers[stream] = Answer()
        if "frames" in request:
            quic.send_stream_data(stream, bytes.fromhex(request["frames"]), end_stream=request.get("end", True))
            self.transmit()
            return await self.answered(answer)
        body = request.get("body", "").encode() or b"x" * request.get("bytes", 0)
        trailers = request.get("trailers")
        fields = [
            [":method", request.get("method", "GET")],
            [":scheme", "https"],
            [":authority", "a.test"],
            [":path", request.get("path", "/")],
            *request.get("fields", []),
        ]
        fields = [(name.encode(), value.encode()) for name, value in request.get("raw", fields)]
        open_end = request.get("reset", False)
        if request.get("method") == "HEAD":
            http.heads.add(stream)
        http.send_headers(stream, fields, end_stream=not (body or trailers or open_end))
        if body:
            http.send_data(stream, body, end_stream=not (trailers or open_end))
        if trailers:
            http.send_headers(stream, [(n.encode(), v.encode()) for n, v in trailers], end_stream=True)
        self.transmit()
        if open_end:
            await asyncio.sleep(0.1)
            quic.reset_stream(stream, 0x10C)
        if request.get("stop"):
            await self.reached(answer.head)
            quic.stop_stream(stream, 0x10C)
        self.transmit()
        return await self.answered(answer)

    async def answered(self, answer):
        await self.reached(answer.done)
        return answer.told()

    async def reached(self, event):
        try:
            await asyncio.wait_for(event.wait(), DEADLINE)
        except asyncio.TimeoutError:
            pass


async def run(address, port, case):
    configuration = QuicConfiguration(alpn_protocols=["h3"], is_client=True, server_name="a.test")
    configuration.verify_mode = ssl.CERT_NONE
    if "certificate" in case:
        configuration.load_cert_chain(case["certificate"] + ".crt", case["certificate"] + ".key")
    told = {"name": case["name"]}
    try:
        async with connect(address, port, configuration=configuration, create_protocol=Client) as client:
            if case.get("together"):
                told["answers"] = await asyncio.gather(*(client.ask(request) for request in case["requests"]))
            else:
                told["answers"] = []
                for request in case["requests"]:
                    if case.get("move") and told["answers"]:
                        # A new port, as a NAT would give; the old one is gone. Not before the handshake is confirmed.
                        old = client._transport
                        bound = old.get_extra_info("sockname")[0]
                        await asyncio.get_running_loop().create_datagram_endpoint(
                            lambda: client, local_addr=("::ffff:127.0.0.1" if ":" in bound else "127.0.0.1", 0)
                        )
                        old.close()
                    told["answers"].append(await client.ask(request))
            if case.get("until_closed"):
                await asyncio.wait_for(client.wait_closed(), DEADLINE)
            if client.closed is not None:
                told["closed"] = client.closed
    except ConnectionError as error:
        told["refused"] = str(error)
    return told


async def main():
    address, port, cases = sys.argv[1:]
    with open(cases) as file:
        cases = json.load(file)
    for case in cases:
        print(json.dumps(await run(address, int(port), case)), flush=True)


asyncio.run(main())
