"""A plugin of pytest in the place of pytest-httpbin's: an httpbin that runs already, and the outcome of every test.

HTTPBIN and HTTPBIN_SECURE are its URLs, HTTPBIN_ROOT the file of the root that signed the second's certificate, and
HTTPBIN_OUTCOMES the file that takes the outcomes as JSON. Names are resolved on this machine only.
"""
import json
import os
import socket
from types import SimpleNamespace

import pytest

OF_THIS_MACHINE = ("localhost", "127.0.0.1", "::1", "0.0.0.0", "", None, socket.gethostname())

outcomes = {}
resolve = socket.getaddrinfo


def resolve_here(host, *rest, **more):
    if (host.decode() if isinstance(host, bytes) else host) not in OF_THIS_MACHINE:
        raise socket.gaierror(socket.EAI_NONAME, f"{host} is not of this machine")
    return resolve(host, *rest, **more)


def pytest_configure(config):
    socket.getaddrinfo = resolve_here


def pytest_runtest_logreport(report):
    # What goes wrong before or after a test counts as that test's outcome.
    if report.when == "call" or report.outcome != "passed":
        outcomes[report.nodeid] = f"{report.outcome} in {report.when}"


def pytest_sessionfinish(session):
    with open(os.environ["HTTPBIN_OUTCOMES"], "w") as file:
        json.dump(outcomes, file)


@pytest.fixture(scope="session")
def httpbin():
    return SimpleNamespace(url=os.environ["HTTPBIN"])


@pytest.fixture(scope="session")
def httpbin_secure():
    return SimpleNamespace(url=os.environ["HTTPBIN_SECURE"])


@pytest.fixture
def httpbin_ca_bundle(monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", os.environ["HTTPBIN_ROOT"])
