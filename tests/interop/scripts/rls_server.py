"""A rate limit service: answers as the values of the descriptors' entries named `answer` ask, in their order, and tells
in the response field `x-asked` what it was asked.

Usage: rls_server.py ADDRESS. Writes "serving" when it accepts calls.
"""
import json
import os
import sys
import threading
import time
from concurrent import futures

import grpc

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
messages, services = grpc.protos_and_services("rls.proto")

OK, OVER_LIMIT = 1, 2
SECOND, MINUTE = 1, 2


def quota(answer, limit, unit, remaining, name=""):
    status = answer.statuses.add(code=OK, limit_remaining=remaining)
    status.current_limit.requests_per_unit = limit
    status.current_limit.unit = unit
    status.current_limit.name = name
    status.duration_until_reset.seconds = remaining + 1


def carry_out(word, answer, context):
    if word == "over":
        answer.overall_code = OVER_LIMIT
    elif word == "unknown":
        answer.overall_code = 0
    elif word == "beyond":
        answer.overall_code = 77
    elif word == "fields":
        answer.request_headers_to_add.add(key="x-of-service", value="to the backend")
        answer.response_headers_to_add.add(key="x-of-service", value="to the client")
    elif word == "raw":
        answer.response_headers_to_add.add(key="x-raw", raw_value=b"raw")
    elif word == "notes":
        answer.dynamic_metadata.update({"who": "ann", "more": {"times": 3}})
    elif word == "body":
        answer.raw_body = b"come back later\n"
    elif word == "quota":
        quota(answer, 10, SECOND, 5)
    elif word == "quotas":
        quota(answer, 10, SECOND, 5)
        quota(answer, 100, MINUTE, 3, "by minute")
        answer.statuses.add(code=OK)
    elif word == "error":
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "no 100% way")
    elif word == "slow":
        time.sleep(3)


class Service(services.RateLimitServiceServicer):
    def ShouldRateLimit(self, request, context):
        descriptors = [[[entry.key, entry.value] for entry in one.entries] for one in request.descriptors]
        metadata = {field.key: field.value for field in context.invocation_metadata()}
        shown = {
            "domain": request.domain,
            "descriptors": descriptors,
            "hits": request.hits_addend,
            "token": metadata.get("x-token"),
        }
        answer = messages.RateLimitResponse(overall_code=OK)
        answer.response_headers_to_add.add(key="x-asked", value=json.dumps(shown))
        for entries in descriptors:
            for key, value in entries:
                if key == "answer":
                    for word in value.split("+"):
                        carry_out(word, answer, context)
        return answer


server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
services.add_RateLimitServiceServicer_to_server(Service(), server)
server.add_insecure_port(ADDRESS := sys.argv[1])
server.start()
print("serving", flush=True)
threading.Event().wait()
