"""A server of HTTP on a free port, which it prints, until its input ends."""
import http.server
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        _, kind, *arg = self.path.split("/")
        body = bytes(int(arg[0])) if kind == "bytes" else b""
        self.send_response(int(arg[0]) if kind == "status" else 200)
        if kind == "chunks":
            self.send_header("Transfer-Encoding", "chunked")
        elif self.path != "/status/204":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if kind == "chunks":
            for _ in range(int(arg[0])):
                self.wfile.write(b"bb8\r\n" + bytes(3000) + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        elif self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_DELETE = answer

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("127.0.0.1:%d" % server.server_port, flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
