"""What holds for every test: one thread, no network, the same random examples, checked tensor shapes."""

import os

# Set before a numeric library is imported: with one thread, sums are added in the same order on every machine.
for _variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_variable] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

import socket

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

# Users pay nothing for the shapes written in the signatures of the network; here every call is checked against them.
install_import_hook("masklet.models", "beartype.beartype")

settings.register_profile("masklet", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("masklet")


@pytest.fixture(autouse=True)
def refuse_network(monkeypatch):
    """Make a test that reaches beyond this machine fail, whatever library tries."""
    connect = socket.socket.connect

    def connect_at_home(self, address):
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"A test tried to connect to {address}; tests use no network.")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_at_home)
