"""A gRPC backend: /echo.Echo/{Unary,ServerStream,ClientStream,BidiStream,Fail,Details,Wait,Cancelled} on raw bytes, and grpc.health.v1.

Usage: grpc_server.py ADDRESS NAME. Writes "serving" when it accepts calls.
"""
import sys
import threading
from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

ADDRESS, NAME = sys.argv[1], sys.argv[2]
MESSAGE_BYTES_MAX = 64 * 1024 * 1024
WAIT_SECONDS_MAX = 20

# The tags of calls of Wait that their client has left.
cancelled = set()


def metadata(context):
    return dict(context.invocation_metadata())


def unary(request, context):
    context.send_initial_metadata((("x-backend", NAME),))
    context.set_trailing_metadata((("x-trailer", "t-" + metadata(context).get("x-tag", "none")),))
    return NAME.encode() + b":" + request


def server_stream(request, context):
    for index in range(int(request)):
        yield f"{NAME}:{index}".encode()


def bidi_stream(requests, context):
    for request in requests:
        yield request


def fail(request, context):
    context.abort(grpc.StatusCode(next(c.value for c in grpc.StatusCode if c.name == request.decode())), "as asked")


def client_stream(requests, context):
    lengths = [len(request) for request in requests]
    return f"{len(lengths)} messages, {sum(lengths)} bytes".encode()


def details(request, context):
    context.set_trailing_metadata((("grpc-status-details-bin", request),))
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "as asked: % and ü")


def wait(request, context):
    """Sends one message and then nothing until its client leaves."""
    left = threading.Event()

    def leave():
        cancelled.add(request)
        left.set()

    # A call that is left while it yields is not resumed, so what follows here cannot tell.
    if not context.add_callback(leave):
        leave()
    yield b"begun"
    left.wait(WAIT_SECONDS_MAX)


def was_cancelled(request, context):
    return b"yes" if request in cancelled else b"no"


HANDLERS = {
    "Unary": grpc.unary_unary_rpc_method_handler(unary),
    "ServerStream": grpc.unary_stream_rpc_method_handler(server_stream),
    "BidiStream": grpc.stream_stream_rpc_method_handler(bidi_stream),
    "ClientStream": grpc.stream_unary_rpc_method_handler(client_stream),
    "Details": grpc.unary_unary_rpc_method_handler(details),
    "Wait": grpc.unary_stream_rpc_method_handler(wait),
    "Cancelled": grpc.unary_unary_rpc_method_handler(was_cancelled),
    "Fail": grpc.unary_unary_rpc_method_handler(fail),
}


def main():
    options = [("grpc.max_receive_message_length", MESSAGE_BYTES_MAX), ("grpc.so_reuseport", 0)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=options)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("echo.Echo", HANDLERS),))
    checks = health.HealthServicer()
    checks.set("", health_pb2.HealthCheckResponse.SERVING)
    checks.set("echo.Echo", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    if server.add_insecure_port(ADDRESS) == 0:
        sys.exit(f"cannot listen on {ADDRESS}")
    server.start()
    print("serving", flush=True)
    server.wait_for_termination()


main()
