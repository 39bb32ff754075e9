"""Calls grpc_server.py: grpc_client.py ADDRESS AUTHORITY CALL [ARGUMENT]; prints one JSON line.

CALL is unary, server-stream, client-stream, bidi, fail, details, deadline, cancel or health. With the files GRPC_ROOT, GRPC_CERT and GRPC_KEY named in the
environment the channel is TLS.
"""
import json
import os
import sys
import time
import uuid

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

ADDRESS, AUTHORITY, CALL = sys.argv[1:4]
ARGUMENT = sys.argv[4] if len(sys.argv) > 4 else ""
OPTIONS = [("grpc.default_authority", AUTHORITY), ("grpc.max_receive_message_length", 64 * 1024 * 1024)]
TIMEOUT_SECONDS = 20


def read(variable):
    path = os.environ.get(variable)
    return open(path, "rb").read() if path else None


def channel():
    root = read("GRPC_ROOT")
    if root is None:
        return grpc.insecure_channel(ADDRESS, OPTIONS)
    credentials = grpc.ssl_channel_credentials(root, read("GRPC_KEY"), read("GRPC_CERT"))
    return grpc.secure_channel(ADDRESS, credentials, OPTIONS)


def call(channel):
    if CALL == "unary":
        stub = channel.unary_unary("/echo.Echo/Unary")
        answer, done = stub.with_call(ARGUMENT.encode(), TIMEOUT_SECONDS, metadata=(("x-tag", "one"),))
        trailers = {k: v for k, v in done.trailing_metadata() if isinstance(v, str)}
        return {"answer": answer.decode(), "headers": dict(done.initial_metadata()), "trailers": trailers}
    if CALL == "server-stream":
        answers = channel.unary_stream("/echo.Echo/ServerStream")(ARGUMENT.encode(), TIMEOUT_SECONDS)
        return {"answers": [answer.decode() for answer in answers]}
    if CALL == "bidi":
        messages = [f"{index}".encode() for index in range(int(ARGUMENT))]
        answers = channel.stream_stream("/echo.Echo/BidiStream")(iter(messages), TIMEOUT_SECONDS)
        return {"answers": [answer.decode() for answer in answers]}
    if CALL == "fail":
        return {"answer": channel.unary_unary("/echo.Echo/Fail")(ARGUMENT.encode(), TIMEOUT_SECONDS).decode()}
    if CALL == "client-stream":
        messages = (b"x" * 65536 for _ in range(int(ARGUMENT)))
        return {"answer": channel.stream_unary("/echo.Echo/ClientStream")(messages, TIMEOUT_SECONDS).decode()}
    if CALL == "details":
        channel.unary_unary("/echo.Echo/Details")(ARGUMENT.encode(), TIMEOUT_SECONDS)
    if CALL == "deadline":
        return {"answers": len(list(channel.unary_stream("/echo.Echo/Wait")(b"deadline", float(ARGUMENT))))}
    if CALL == "cancel":
        return cancel(channel)
    request = health_pb2.HealthCheckRequest(service=ARGUMENT)
    return {"answer": health_pb2_grpc.HealthStub(channel).Check(request, TIMEOUT_SECONDS).status}


def cancel(channel):
    """Leaves a call in its midst, and asks the server until it has heard of that."""
    tag = uuid.uuid4().bytes
    answers = channel.unary_stream("/echo.Echo/Wait")(tag, TIMEOUT_SECONDS)
    next(answers)
    answers.cancel()
    asked = channel.unary_unary("/echo.Echo/Cancelled")
    until = time.monotonic() + TIMEOUT_SECONDS
    while asked(tag, TIMEOUT_SECONDS) != b"yes" and time.monotonic() < until:
        time.sleep(0.05)
    return {"code": answers.code().name, "seen": asked(tag, TIMEOUT_SECONDS) == b"yes"}


def status_details(error):
    return next((v.hex() for k, v in error.trailing_metadata() or () if k == "grpc-status-details-bin"), None)


def main():
    with channel() as opened:
        try:
            result = {"code": "OK", **call(opened)}
        except grpc.RpcError as error:
            result = {"code": error.code().name, "details": error.details(), "status": status_details(error)}
    print(json.dumps(result))


main()
