"""gRPC by grpcio, in every way that a call can go: the same service, cases and outcomes as grpc_cases.js.

grpc_cases.py serve ADDRESS: the service `cases.Cases` on raw bytes. Writes "serving" when it takes calls.
grpc_cases.py call ADDRESS: calls it as grpc.test and prints what came of each case as JSON. With GRPC_ROOT in the environment it
comes over TLS.
"""
import hashlib
import json
import os
import sys
import threading
import time
import uuid
from concurrent import futures

import grpc

ROLE, ADDRESS = sys.argv[1:3]
BYTES_MAX = 64 * 1024 * 1024
SMALL_BYTES_MAX = 1024 * 1024
PATIENCE_SECONDS = 60
DEADLINE_SECONDS = 0.4
TEXT = "as asked: 100 % ü\n漢"
BINARY = bytes(range(256))

# The tags of calls whose client has left them.
left = set()


# --- server


def own(metadata):
    """Metadata of the cases alone, in its order: proxies and libraries add their own."""
    return [
        [key, value.hex() if isinstance(value, bytes) else value] for key, value in metadata or () if key.startswith("case-")
    ]


def echo(request, context):
    return request


def metadata(request, context):
    """Sends back what it saw, at the beginning and at the end."""
    pairs = [(key, value) for key, value in context.invocation_metadata() if key.startswith("case-")]
    context.send_initial_metadata(pairs)
    context.set_trailing_metadata(pairs)
    agent = any(key == "user-agent" and "grpc" in value for key, value in context.invocation_metadata())
    return json.dumps([own(pairs), agent]).encode()


def fail(request, context):
    wanted = json.loads(request)
    code = next(code for code in grpc.StatusCode if code.value[0] == wanted["code"])
    context.set_trailing_metadata((("case-why", "asked"), ("case-details-bin", BINARY)))
    context.abort(code, wanted["text"])


def fail_later(request, context):
    yield b"one"
    yield b"two"
    context.abort(grpc.StatusCode.DATA_LOSS, TEXT)


def produce(request, context):
    wanted = json.loads(request)
    for index in range(wanted["count"]):
        yield bytes([index % 256]) * wanted["bytes"]


def consume(requests, context):
    lengths = [len(request) for request in requests]
    return f"{len(lengths)} messages of {sum(lengths)} bytes".encode()


def consume_first(requests, context):
    """Answers while its client is still sending."""
    first = next(requests)
    context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{len(first)} bytes are enough")


def converse(requests, context):
    for request in requests:
        yield request
        if request == b"end":
            return
    yield b"you have ended"


def remaining(request, context):
    seconds = context.time_remaining()
    return b"none" if seconds is None or seconds > 1e6 else f"{30 * round(seconds / 30)}".encode()


def wait(request, context):
    gone = threading.Event()

    def leave():
        left.add(request)
        gone.set()

    # A call that is left while it yields is not resumed, so what follows here cannot tell.
    if not context.add_callback(leave):
        leave()
    context.send_initial_metadata((("case-begun", "yes"),))
    yield b"begun"
    gone.wait(PATIENCE_SECONDS)


def has_left(request, context):
    return b"yes" if request in left else b"no"


HANDLERS = {
    "Echo": grpc.unary_unary_rpc_method_handler(echo),
    "Metadata": grpc.unary_unary_rpc_method_handler(metadata),
    "Fail": grpc.unary_unary_rpc_method_handler(fail),
    "FailLater": grpc.unary_stream_rpc_method_handler(fail_later),
    "Produce": grpc.unary_stream_rpc_method_handler(produce),
    "Consume": grpc.stream_unary_rpc_method_handler(consume),
    "ConsumeFirst": grpc.stream_unary_rpc_method_handler(consume_first),
    "Converse": grpc.stream_stream_rpc_method_handler(converse),
    "Remaining": grpc.unary_unary_rpc_method_handler(remaining),
    "Wait": grpc.unary_stream_rpc_method_handler(wait),
    "HasLeft": grpc.unary_unary_rpc_method_handler(has_left),
}


def serve():
    options = [("grpc.max_receive_message_length", BYTES_MAX), ("grpc.so_reuseport", 0)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=80), options=options)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("cases.Cases", HANDLERS),))
    if server.add_insecure_port(ADDRESS) == 0:
        sys.exit(f"cannot listen on {ADDRESS}")
    server.start()
    print("serving", flush=True)
    server.wait_for_termination()


# --- client


class Stub:
    def __init__(self, channel):
        self.channel = channel

    def unary(self, method, request, **more):
        return self.with_call(method, request, **more)[0]

    def with_call(self, method, request, timeout=PATIENCE_SECONDS, **more):
        return self.channel.unary_unary(f"/cases.Cases/{method}").with_call(request, timeout, **more)

    def server_stream(self, method, request, timeout=PATIENCE_SECONDS, **more):
        return self.channel.unary_stream(f"/cases.Cases/{method}")(request, timeout, **more)

    def client_stream(self, method, requests):
        return self.channel.stream_unary(f"/cases.Cases/{method}")(requests, PATIENCE_SECONDS)

    def converse(self, requests, timeout=PATIENCE_SECONDS):
        return self.channel.stream_stream("/cases.Cases/Converse")(requests, timeout)


def digest(message):
    return [len(message), hashlib.sha256(message).hexdigest()]


def status_of(act):
    """The status that an act ends with, its text and its metadata."""
    try:
        act()
        return "OK"
    except grpc.RpcError as error:
        return [error.code().value[0], error.details(), own(error.trailing_metadata())]


def code_of(act):
    status = status_of(act)
    return status if status == "OK" else status[0]


def sizes(stub):
    """The largest is as much as a receiver takes by default."""
    large = hashlib.shake_128(b"large").digest(4_000_000)
    messages = (b"", b"x", b"y" * 16_384, b"z" * 65_536, large)
    return [digest(stub.unary("Echo", message)) for message in messages]


def pairs(stub):
    sent = (
        ("case-text", "a, b;c=\"d\" %41"), ("case-twice", "one"), ("case-twice", "two"), ("case-long", "v" * 6_000),
        ("case-all-bin", BINARY), ("case-none-bin", b""), ("case-some-bin", b"\x00\x01"), ("case-some-bin", b"\xff"),
    )
    answer, call = stub.with_call("Metadata", b"", metadata=sent)
    return [json.loads(answer), own(call.initial_metadata()), own(call.trailing_metadata())]


def statuses(stub):
    wanted = ({"code": code, "text": text} for code in range(1, 17) for text in ("", TEXT, "t" * 2_000))
    return [status_of(lambda: stub.unary("Fail", json.dumps(one).encode())) for one in wanted]


def fails_later(stub):
    got, call = [], stub.server_stream("FailLater", b"")
    status = status_of(lambda: got.extend(message.decode() for message in call))
    return [got, status]


def unknown(stub):
    service = stub.channel.unary_unary("/cases.Other/Echo")
    return [code_of(lambda: stub.unary("Nothing", b"")), code_of(lambda: service(b"", PATIENCE_SECONDS))]


def server_streams(stub):
    told = []
    for count, length in ((0, 1), (1, 0), (1000, 10), (100, 100_000)):
        call = stub.server_stream("Produce", json.dumps({"count": count, "bytes": length}).encode())
        lengths = [len(message) for message in call]
        told.append([len(lengths), sum(lengths), call.code().value[0]])
    return told


def client_streams(stub):
    return [
        stub.client_stream("Consume", iter([b"x" * length] * count)).decode()
        for count, length in ((0, 0), (1, 0), (1000, 10), (100, 100_000))
    ]


def answered_early(stub):
    """The server's status comes although the client has not ended."""
    release = threading.Event()

    def requests():
        yield b"x" * 10
        release.wait(PATIENCE_SECONDS)

    status = status_of(lambda: stub.client_stream("ConsumeFirst", requests()))
    release.set()
    return status


def in_turns(stub):
    """One message at a time, each after the answer to the one before."""
    turn = threading.Semaphore(1)

    def requests():
        for index in range(100):
            turn.acquire()
            yield f"{index}".encode()
        turn.acquire()

    got = []
    for message in stub.converse(requests()):
        got.append(message.decode())
        turn.release()
    return got


def client_ends_first(stub):
    return [message.decode() for message in stub.converse(iter([b"a", b"b"]))]


def server_ends_first(stub):
    release = threading.Event()

    def requests():
        yield b"a"
        yield b"end"
        release.wait(PATIENCE_SECONDS)

    call = stub.converse(requests())
    got = [message.decode() for message in call]
    release.set()
    return [got, call.code().value[0]]


def hears_of_it(stub, tag):
    until = time.monotonic() + PATIENCE_SECONDS
    while stub.unary("HasLeft", tag) != b"yes" and time.monotonic() < until:
        time.sleep(0.02)
    return stub.unary("HasLeft", tag) == b"yes"


def deadlines(stub):
    tag, got = uuid.uuid4().bytes, []
    call = stub.server_stream("Wait", tag, DEADLINE_SECONDS)
    code = code_of(lambda: got.extend(message.decode() for message in call))
    over = code_of(lambda: list(stub.converse(until_released(threading.Event()), DEADLINE_SECONDS)))
    within = [stub.unary("Remaining", b"", timeout=seconds).decode() for seconds in (30, 300, None)]
    return [got, code, hears_of_it(stub, tag), over, within]


def until_released(release):
    yield b"a"
    release.wait(2 * DEADLINE_SECONDS)


def cancelled(stub):
    tag = uuid.uuid4().bytes
    call = stub.server_stream("Wait", tag)
    begun = [own(call.initial_metadata()), next(call).decode()]
    call.cancel()
    release = threading.Event()
    talk = stub.converse(until_released(release))
    first = next(talk).decode()
    talk.cancel()
    release.set()
    return [begun, code_of(lambda: next(call)), hears_of_it(stub, tag), first, code_of(lambda: next(talk))]


def many_at_once(stub):
    with futures.ThreadPoolExecutor(max_workers=50) as pool:
        answers = pool.map(lambda index: stub.unary("Echo", f"{index}".encode() * 100), range(300))
        return [answer == f"{index}".encode() * 100 for index, answer in enumerate(answers)].count(True)


def compressed(stub):
    gzip = grpc.Compression.Gzip
    return digest(stub.unary("Echo", b"a" * 1_000_000, compression=gzip))


def too_large(stub):
    with opened([("grpc.max_receive_message_length", SMALL_BYTES_MAX)]) as channel:
        return code_of(lambda: Stub(channel).unary("Echo", b"x" * (SMALL_BYTES_MAX + 1)))


def opened(more=()):
    options = [("grpc.default_authority", "grpc.test"), *more]
    if "GRPC_ROOT" not in os.environ:
        return grpc.insecure_channel(ADDRESS, options)
    with open(os.environ["GRPC_ROOT"], "rb") as root:
        credentials = grpc.ssl_channel_credentials(root.read())
    return grpc.secure_channel(ADDRESS, credentials, [("grpc.ssl_target_name_override", "grpc.test"), *options])


CASES = (
    sizes, pairs, statuses, fails_later, unknown, server_streams, client_streams, answered_early, in_turns, client_ends_first,
    server_ends_first, deadlines, cancelled, many_at_once, compressed, too_large,
)


def call():
    with opened() as channel:
        stub = Stub(channel)
        print(json.dumps({case.__name__: case(stub) for case in CASES}))


serve() if ROLE == "serve" else call()
