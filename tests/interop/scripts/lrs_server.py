"""A load reporting service: asks each client for CLUSTERS (comma-separated; `*` for all) every 200 ms.

Usage: lrs_server.py ADDRESS CLUSTERS. Writes "serving" when it accepts calls, then one JSON object for each request.
"""
import json
import os
import sys
import threading
from concurrent import futures

import grpc

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
messages, services = grpc.protos_and_services("lrs.proto")

ADDRESS, CLUSTERS = sys.argv[1], sys.argv[2]


def shown(request):
    """The request's numbers: by cluster, then by locality."""
    clusters = {}
    for stats in request.cluster_stats:
        localities = {
            f"{of.locality.region} {of.priority}": [
                of.total_issued_requests,
                of.total_successful_requests,
                of.total_error_requests,
                of.total_requests_in_progress,
            ]
            for of in stats.upstream_locality_stats
        }
        millis = stats.load_report_interval.ToMilliseconds()
        clusters[stats.cluster_name] = {"localities": localities, "dropped": stats.total_dropped_requests, "millis": millis}
    return {"node": request.node.id, "features": list(request.node.client_features), "clusters": clusters}


class Service(services.LoadReportingServiceServicer):
    def StreamLoadStats(self, requests, context):
        answer = messages.LoadStatsResponse(
            clusters=[] if CLUSTERS == "*" else CLUSTERS.split(","), send_all_clusters=CLUSTERS == "*"
        )
        answer.load_reporting_interval.FromMilliseconds(200)
        for index, request in enumerate(requests):
            print(json.dumps(shown(request)), flush=True)
            if index == 0:
                yield answer


server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
services.add_LoadReportingServiceServicer_to_server(Service(), server)
server.add_insecure_port(ADDRESS)
server.start()
print("serving", flush=True)
threading.Event().wait()
