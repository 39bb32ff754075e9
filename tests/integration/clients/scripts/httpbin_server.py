"""httpbin, served by the server that requests' own tests use: httpbin_server.py PLAIN TLS CERTIFICATES

PLAIN and TLS are addresses; the folder CERTIFICATES holds server.pem and server.key. Writes "serving" when both listen.
"""
import sys
import threading
from socketserver import ThreadingMixIn

from httpbin import app
from pytest_httpbin import serve

PLAIN, TLS, CERTIFICATES = sys.argv[1:4]


# A test that leaves an answer which takes ten seconds must not hold up the next.
class PlainServer(ThreadingMixIn, serve.WSGIServer):
    daemon_threads = True


class SecureServer(ThreadingMixIn, serve.SecureWSGIServer):
    daemon_threads = True


def start(kind, address, **more):
    host, port = address.rsplit(":", 1)
    server = kind(host=host, port=int(port), application=app, **more)
    server.start()
    return server


serve.CERT_DIR = CERTIFICATES
serve.SecureWSGIServer = SecureServer
servers = [start(serve.Server, PLAIN, server_class=PlainServer), start(serve.SecureServer, TLS)]
print("serving", flush=True)
threading.Event().wait()
