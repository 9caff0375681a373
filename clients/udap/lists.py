"""The host of revocation lists and OCSP responders: a small HTTP server on this machine."""

import itertools
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Lists:
    """What it answers, by path: bytes or a status, or where it sends whoever asks. Remembers the paths asked for."""

    def __init__(self, address="127.0.0.1"):
        answers = self.answers = {}
        asked = self.asked = []
        redirects = self.redirects = {}
        self.numbers = itertools.count()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("content-length") or 0)
                self.rfile.read(length)
                asked.append(self.path)
                answer = answers.get(self.path, 404)
                status, content = (200, answer) if isinstance(answer, bytes) else (answer, b"")
                kind = "application/ocsp-response" if self.command == "POST" else "application/pkix-crl"
                self.send_response(302 if self.path in redirects else status)
                if self.path in redirects:
                    self.send_header("location", redirects[self.path])
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer((address, 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.base = f"http://{address}:{self.server.server_address[1]}"

    def place(self, answer=404):
        """A new URL with this answer; `put` changes it."""
        path = f"/{next(self.numbers)}"
        self.answers[path] = answer
        return self.base + path

    def put(self, url, answer):
        self.answers[url.removeprefix(self.base)] = answer


class Hanging:
    """Takes every connection and never says a word; on all addresses of this machine's loopback network."""

    def __init__(self):
        self.socket = socket.create_server(("0.0.0.0", 0), backlog=2048)
        self.port = self.socket.getsockname()[1]
        self.connections = []
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections.append(connection)

    def close(self):
        self.socket.close()
        for connection in self.connections:
            connection.close()
