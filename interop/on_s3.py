"""Runs a command beside an S3-compatible server on loopback, with an empty bucket as TAGMILL_TEST_URL.

    "$(bench/python.sh)" interop/on_s3.py --seconds 300 -- cargo test ... -- --ignored a_server_conforms

The server is moto, whose conditional create lets one of many creators win. Ends with the command's exit status, or with 124
when the seconds are over.
"""

import argparse
import logging
import os
import subprocess
import sys
import urllib.request

from moto.server import ThreadedMotoServer

BUCKET = "conformance"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=int, default=300)
    arguments.add_argument("command", nargs="+")
    given = arguments.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line a request otherwise
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{BUCKET}", method="PUT"), timeout=30).close()
    place = {
        "TAGMILL_TEST_URL": f"s3://{BUCKET}/new",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    try:
        status = subprocess.run(given.command, env=os.environ | place, timeout=given.seconds).returncode
    except subprocess.TimeoutExpired:
        print(f"{' '.join(given.command)} took more than {given.seconds} s", file=sys.stderr)
        status = 124
    server.stop()
    sys.exit(status)


if __name__ == "__main__":
    main()
