"""A server of HTTP on a free port, which it prints: a stream of events, what is
held until somebody releases it, and answers at once."""
import http.server
import threading

released = threading.Event()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 4096

    def do_GET(self):
        if self.path.startswith("/release"):
            released.set()
        if self.path.startswith("/held"):
            released.wait()
        try:
            if self.path.startswith("/events"):
                self.events()
            else:
                self.plain()
        except OSError:
            self.close_connection = True

    def plain(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def events(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for _ in range(3):
            self.wfile.write(b"data: event\n\n")
            self.wfile.flush()
            released.wait(0.2)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print("127.0.0.1:%d" % server.server_port, flush=True)
server.serve_forever()
