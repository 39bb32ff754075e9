"""A runtime discovery service: sends the layer in FILE (a JSON object), and again whenever the file changes.

Usage: rtds_server.py ADDRESS FILE. Writes "serving" when it accepts calls, then one JSON object for each request.
"""
import json
import os
import sys
import threading
import time
from concurrent import futures

import grpc

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
messages, services = grpc.protos_and_services("rtds.proto")

ADDRESS, FILE = sys.argv[1], sys.argv[2]
TYPE = "type.googleapis.com/envoy.service.runtime.v3.Runtime"


def layer():
    with open(FILE, encoding="utf-8") as file:
        return file.read()


def answer(version, text, names):
    response = messages.DiscoveryResponse(version_info=str(version), nonce=str(version), type_url=TYPE)
    for name in names:
        resource = messages.Runtime(name=name)
        resource.layer.update(json.loads(text))
        response.resources.add(type_url=TYPE, value=resource.SerializeToString())
    return response


class Service(services.RuntimeDiscoveryServiceServicer):
    def StreamRuntime(self, requests, context):
        names = []

        def read():
            for request in requests:
                shown = {
                    "names": list(request.resource_names),
                    "version": request.version_info,
                    "refused": bool(request.error_detail.message),
                }
                print(json.dumps(shown), flush=True)
                names[:] = request.resource_names

        threading.Thread(target=read, daemon=True).start()
        version, sent = 0, None
        while context.is_active():
            text = layer()
            if names and text != sent:
                version, sent = version + 1, text
                yield answer(version, text, names)
            time.sleep(0.02)


server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
services.add_RuntimeDiscoveryServiceServicer_to_server(Service(), server)
server.add_insecure_port(ADDRESS)
server.start()
print("serving", flush=True)
threading.Event().wait()
