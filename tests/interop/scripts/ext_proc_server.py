"""An external processor: answers each part of a message as the JSON in the request's field `x-do` asks, and keeps what it
was sent for who asks on a second port.

Parts are called qh, qb, qt (request's head, body, trailers) and sh, sb, st (response's). For each the JSON has one answer
or a list of them; without any an empty one is sent. What may stand in an answer: see `answer`.

Usage: ext_proc_server.py ADDRESS PORT. Writes "serving" when it accepts calls. GET PORT/N gives what all calls since
the last GET were sent, once they have ended, N at least.
"""
import json
import os
import sys
import threading
import time
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
from google.protobuf import json_format

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
messages, services = grpc.protos_and_services("ext_proc.proto")

PARTS = {
    "request_headers": "qh",
    "request_body": "qb",
    "request_trailers": "qt",
    "response_headers": "sh",
    "response_body": "sb",
    "response_trailers": "st",
}
NAMES = {short: name for name, short in PARTS.items()}
ANY = {"x-request-id", "date", "server", "x-envoy-upstream-service-time", "x-do"}
ANY_ATTRIBUTES = {"request.id", "source.address", "source.port", "destination.port", "upstream.port"}

lock = threading.Condition()
calls = []
running = 0


def mutation(wish, into):
    """set: [[name, value, action?]]; remove: [name]."""
    for name, value, *action in wish.get("set", []):
        option = into.set_headers.add()
        option.header.key = name
        option.header.raw_value = value.encode()
        for word in action:
            if word == "text":
                option.header.value, option.header.raw_value = value, b""
            elif word == "both":
                option.header.value = value
            elif word == "append":
                option.append.value = True
            else:
                option.append_action = word
    into.remove_headers.extend(wish.get("remove", []))


def answer(part, wish, context):
    """One answer: set, remove, body, clear, replace, reroute as they are called; as: another part's name; mode, meta,
    timeout, immediate; nothing: no answer is one; sleep, error, close, giant."""
    if "sleep" in wish:
        time.sleep(wish["sleep"])
    if "error" in wish:
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, wish["error"])
    message = messages.ProcessingResponse()
    part = wish.get("as", part)
    if "immediate" in wish:
        found = wish["immediate"]
        immediate = message.immediate_response
        immediate.SetInParent()
        if "status" in found:
            immediate.status.code = found["status"]
        immediate.body = found.get("body", "").encode()
        immediate.details = found.get("details", "")
        if "grpc" in found:
            immediate.grpc_status.status = found["grpc"]
        if "set" in found or "remove" in found:
            mutation(found, immediate.headers)
    elif "nothing" not in wish and "timeout" not in wish:
        found = getattr(message, NAMES[part])
        found.SetInParent()
        if part[1] == "t":
            if "set" in wish or "remove" in wish:
                mutation(wish, found.header_mutation)
        else:
            common = found.response
            common.SetInParent()
            if "set" in wish or "remove" in wish:
                mutation(wish, common.header_mutation)
            if "body" in wish:
                common.body_mutation.body = wish["body"].encode()
            if "clear" in wish:
                common.body_mutation.clear_body = wish["clear"]
            if "giant" in wish:
                common.body_mutation.body = b"g" * wish["giant"]
            common.status = 1 if "replace" in wish else 0
            common.clear_route_cache = "reroute" in wish
    for name in wish.get("mode", {}):
        setattr(message.mode_override, name, wish["mode"][name])
    if "mode" in wish:
        message.mode_override.SetInParent()
    if "meta" in wish:
        message.dynamic_metadata.update(wish["meta"])
    if "timeout" in wish:
        message.override_message_timeout.FromNanoseconds(int(wish["timeout"] * 1e9))
    return message


def fields(found):
    pairs = [[field.key, (field.raw_value or field.value.encode()).decode(errors="replace")] for field in found.headers]
    # What a backend tells of a request has the length of its port numbers.
    varying = ANY | {"content-length"} if ["content-type", "application/json"] in pairs else ANY
    # Hop by hop: one proxy tells how it was sent the message, the other only what it was sent.
    pairs = [pair for pair in pairs if pair[0] not in ("transfer-encoding", "connection")]
    return sorted([name, "(any)" if name in varying else value] for name, value in pairs)


def tell(seen, part, request):
    """Notes what a message holds; pieces of one body become one."""
    kind = PARTS[part]
    found = getattr(request, part)
    note = {"part": kind}
    if kind[1] == "b":
        text = found.body.decode(errors="replace")
        for before in seen:
            if before["part"] == kind:
                before.update(whole=before["whole"] + text, end=found.end_of_stream)
                return
        note.update(whole=text, end=found.end_of_stream)
    elif kind[1] == "t":
        note["fields"] = fields(found.trailers)
    else:
        note.update(fields=fields(found.headers), end=found.end_of_stream)
    for namespace, attributes in request.attributes.items():
        values = json_format.MessageToDict(attributes)
        note["attributes " + namespace] = {
            name: "(any)" if name in ANY_ATTRIBUTES else value for name, value in sorted(values.items())
        }
    if request.metadata_context.filter_metadata:
        note["metadata"] = json_format.MessageToDict(request.metadata_context)
    if request.observability_mode:
        note["observed"] = True
    if request.HasField("protocol_config"):
        note["modes"] = [request.protocol_config.request_body_mode, request.protocol_config.response_body_mode]
    seen.append(note)


def body(text):
    if text.startswith('{"backend"'):
        return "(what a backend received)"
    # How much of a body that is too large is sent is a matter of how it was cut on its way.
    if len(text) > 1 << 20:
        return "more than a megabyte"
    return text if len(text) < 200 else f"{len(text)} times {text[0]}"


def shown(seen):
    """The request's parts, then the response's: which of them come first is a matter of time."""
    for note in seen:
        if "whole" in note:
            note["body"] = body(note.pop("whole"))
    return sorted(seen, key=lambda note: note["part"][0])


class Service(services.ExternalProcessorServicer):
    def Process(self, request_iterator, context):
        global running
        metadata = {field.key: field.value for field in context.invocation_metadata()}
        wishes = json.loads(metadata.get("x-do", "{}"))
        seen = [{"part": "call", "token": metadata["x-token"]}] if "x-token" in metadata else []
        with lock:
            running += 1
        try:
            for request in request_iterator:
                part = next((name for name in PARTS if request.HasField(name)), None)
                if part is None:
                    seen.append({"part": "none"})
                    continue
                if part == "request_headers":
                    for field in request.request_headers.headers.headers:
                        if field.key == "x-do":
                            wishes = json.loads(field.raw_value or field.value)
                tell(seen, part, request)
                if request.observability_mode:
                    continue
                wish = wishes.get(PARTS[part], {})
                for one in wish if isinstance(wish, list) else [wish]:
                    if "close" in one:
                        return
                    yield answer(PARTS[part], one, context)
        finally:
            with lock:
                calls.append(shown(seen))
                running -= 1
                lock.notify_all()


class Asked(BaseHTTPRequestHandler):
    def do_GET(self):
        wanted = int(self.path[1:])
        with lock:
            lock.wait_for(lambda: running == 0 and len(calls) >= wanted, timeout=3)
            found = json.dumps(sorted(calls, key=json.dumps), sort_keys=True)
            calls.clear()
        self.send_response(200)
        self.send_header("content-length", str(len(found.encode())))
        self.end_headers()
        self.wfile.write(found.encode())

    def log_message(self, *_):
        pass


server = grpc.server(futures.ThreadPoolExecutor(max_workers=64))
services.add_ExternalProcessorServicer_to_server(Service(), server)
server.add_insecure_port(sys.argv[1])
server.start()
asked = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Asked)
threading.Thread(target=asked.serve_forever, daemon=True).start()
print("serving", flush=True)
threading.Event().wait()
