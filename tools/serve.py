"""Build the book if anything changed, then serve it on this machine until Ctrl-C."""

import argparse
import errno
import signal
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import book


class Handler(SimpleHTTPRequestHandler):
    """Static files; the browser asks each time whether its copy is still right, so a rebuilt page shows at once."""

    def end_headers(self) -> None:
        """Add the one header of ours."""
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Only errors are worth a line."""


class Server(ThreadingHTTPServer):
    """Refuses a port on which somebody else already listens, on every system."""

    allow_reuse_address = sys.platform != "win32"  # there SO_REUSEADDR would steal the port


def main(port: int) -> int:
    handler = partial(Handler, directory=str(book.HTML))
    try:
        # The port is claimed before the build, so that a taken one is said at once, and opened after it.
        server = Server(("127.0.0.1", port), handler, bind_and_activate=False)
        server.server_bind()
        if status := book.build():
            return status
        server.server_activate()
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        why = "is taken by another program" if error.errno == errno.EADDRINUSE else "may not be used by this account"
        print(f"Port {port} {why}. Choose another: make serve PORT={max(port + 1, 8000)}", file=sys.stderr)
        return 1
    print(f"The book is on http://localhost:{port}  (Ctrl-C ends)", flush=True)
    with server:
        server.serve_forever()
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000, choices=range(1, 65536), metavar="PORT")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main(parser.parse_args().port))
    except KeyboardInterrupt:
        print("\nStopped.")
