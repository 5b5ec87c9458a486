"""The way to the gateway's socket, for whoever names it `http://longhorn.invalid`: MLflow itself speaks to hosts and ports alone.
Only URLs of that name go there; a proxy of the environment is not asked, as for no socket."""

import socket

from requests import Session
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from . import SOCKET

HOST = "longhorn.invalid"

_PREFIX = "http://" + HOST + "/"


class _Connection(HTTPConnection):
    def connect(self):
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connected.settimeout(self.timeout)
            connected.connect(SOCKET)
        except BaseException:
            connected.close()
            raise
        self.sock = connected


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _Adapter(HTTPAdapter):
    def __init__(self, max_retries):
        super().__init__(max_retries=max_retries)
        self._pool = _Pool(HOST, maxsize=10)

    def get_connection_with_tls_context(self, request, verify, proxies=None, cert=None):
        return self._pool

    # The same of requests before 2.32.
    def get_connection(self, url, proxies=None):
        return self._pool

    def request_url(self, request, proxies):
        return request.path_url

    def close(self):
        super().close()
        self._pool.close()


def mount():
    """From now on each session finds the way, with the patience that it has with others. Doing it twice does nothing."""
    before = Session.get_adapter
    if getattr(before, "longhorn", False):
        return

    def get_adapter(self, url):
        if url.startswith(_PREFIX) and _PREFIX not in self.adapters:
            self.mount(_PREFIX, _Adapter(before(self, url).max_retries))
        return before(self, url)

    get_adapter.longhorn = True
    Session.get_adapter = get_adapter
