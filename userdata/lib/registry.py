"""The images that a seat keeps in the cluster's bucket, as a registry on 127.0.0.1 for this node's own containerd.

  registry.py NODE_DATA

containerd asks it before an image's own registry (/etc/containerd/certs.d/_default), and goes on to that with whatever is not here
or cannot be given: no node needs this to work. Which content a tag means says the list in the bucket, which seats alone write.
The content itself containerd fetches from S3, at an address that is signed here with the node's role and good for some minutes,
and takes it only if it has its digest. Only reads; how S3 signs addresses: "Authenticating Requests: Using Query Parameters".
"""

import collections
import datetime
import hashlib
import hmac
import http.server
import json
import re
import sys
import threading
import time
import urllib.parse
import urllib.request

# files/etc/containerd/certs.d/_default/hosts.toml names it, too.
PORT = 5001
METADATA = "http://169.254.169.254/latest"
LIST = "images/list.json"
# How long a list is good. It changes with a deployment, and what is not on it yet comes from its registry.
LIST_SECONDS = 600
LIST_AGAIN_SECONDS = 30
ADDRESS_SECONDS = 900
# Content that is fetched again and again did not arrive as it should: from then on its registry may try. Of seven pulls of a damaged
# layer containerd fetched three, and failed the others with what it had.
TRIES = 3
PATH = re.compile(r"/v2/([a-z0-9][a-z0-9._/-]*)/(manifests|blobs)/([A-Za-z0-9][A-Za-z0-9._:+-]*)")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
# Nothing between the node and AWS: no proxy of the environment.
open_url = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def signed_address(method, host, key, region, credentials, at, seconds=ADDRESS_SECONDS):
    """The https address of an object for one method and so many seconds, by Signature Version 4; key needs no escapes."""
    scope = f"{at:%Y%m%d}/{region}/s3/aws4_request"
    query = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{credentials['AccessKeyId']}/{scope}",
        "X-Amz-Date": f"{at:%Y%m%dT%H%M%SZ}",
        "X-Amz-Expires": str(seconds),
        # A role's; keys of a person have none.
        **({"X-Amz-Security-Token": credentials["Token"]} if "Token" in credentials else {}),
        "X-Amz-SignedHeaders": "host",
    }
    text = urllib.parse.urlencode(query, quote_via=urllib.parse.quote, safe="")
    request = f"{method}\n/{key}\n{text}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    to_sign = f"AWS4-HMAC-SHA256\n{query['X-Amz-Date']}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signing_key = f"AWS4{credentials['SecretAccessKey']}".encode()
    for part in (*scope.split("/"), to_sign):
        signing_key = hmac.new(signing_key, part.encode(), hashlib.sha256).digest()
    return f"https://{host}/{key}?{text}&X-Amz-Signature={signing_key.hex()}"


# What goes wrong where AWS does not answer, or not as it should.
FAILURES = (OSError, ValueError, KeyError)


class Bucket:
    """What the cluster's bucket has of images."""

    def __init__(self, node_data):
        self._region = node_data["region"]
        self._host = f"{node_data['bucket']}.s3.{self._region}.{node_data['domain']}"
        self._lock = threading.Lock()
        self._credentials, self._images = None, {}
        self._credentials_until = self._images_until = 0
        # How often containerd was sent to fetch content.
        self.asked = collections.Counter()

    def images(self):
        """{image: {digest, mediaType, size, blobs}}, as it was when the bucket last gave it; empty if it never did."""
        with self._lock:
            if time.monotonic() >= self._images_until:
                seconds = LIST_SECONDS
                try:
                    with open_url(self._address("GET", LIST), timeout=20) as answer:
                        self._images = json.load(answer)["images"]
                except FAILURES as error:
                    print(f"the bucket does not give its list of images: {error!r}", file=sys.stderr)
                    seconds = LIST_AGAIN_SECONDS
                self._images_until = time.monotonic() + seconds
            return self._images

    def address(self, method, digest):
        """Where to fetch content with that digest; raises FAILURES."""
        with self._lock:
            return self._address(method, f"images/{digest.replace(':', '/')}")

    def _address(self, method, key):
        if time.monotonic() >= self._credentials_until:
            self._credentials = self._fresh_credentials()
            # The role's are good for at least five minutes more whenever the metadata service gives them.
            self._credentials_until = time.monotonic() + 240
        now = datetime.datetime.now(datetime.timezone.utc)
        return signed_address(method, self._host, key, self._region, self._credentials, now)

    @staticmethod
    def _fresh_credentials():
        def ask(path, header, value, method="GET"):
            request = urllib.request.Request(f"{METADATA}/{path}", headers={header: value}, method=method)
            with open_url(request, timeout=5) as answer:
                return answer.read().decode()

        token = ask("api/token", "X-aws-ec2-metadata-token-ttl-seconds", "300", "PUT")
        folder = "meta-data/iam/security-credentials/"
        role = ask(folder, "X-aws-ec2-metadata-token", token)
        return json.loads(ask(folder + role, "X-aws-ec2-metadata-token", token))


class Registry(http.server.BaseHTTPRequestHandler):
    """The part of the registry protocol that containerd pulls by."""

    protocol_version = "HTTP/1.1"
    bucket = None

    def do_GET(self):
        try:
            status, headers = self._answer()
        except FAILURES as error:
            print(f"{self.path} is left to its registry: {error!r}", file=sys.stderr)
            status, headers = 404, {}
        self.send_response(status)
        for name, value in ({"Content-Length": "0"} | headers).items():
            self.send_header(name, value)
        self.end_headers()

    do_HEAD = do_GET

    def _answer(self):
        path, _, query = self.path.partition("?")
        match = PATH.fullmatch(path)
        # Whose image it is: containerd tells a registry that is not the image's own.
        registry = urllib.parse.parse_qs(query).get("ns", [""])[0]
        if not match:
            return 404, {}
        name, kind, reference = match.groups()
        images = self.bucket.images()
        if kind == "manifests" and not DIGEST.fullmatch(reference):
            image = images.get(f"{registry}/{name}:{reference}", {})
            if "digest" not in image:
                return 404, {}
            reference = image["digest"]
            if self.command == "HEAD":
                size = {"Content-Type": image["mediaType"], "Content-Length": str(image["size"])}
                return 200, {"Docker-Content-Digest": reference} | size
        if not any(reference in image.get("blobs", ()) for image in images.values()):
            return 404, {}
        self.bucket.asked[reference] += self.command == "GET"
        if self.bucket.asked[reference] > TRIES:
            print(f"{reference} is left to {registry}: it was fetched {TRIES} times in a row", file=sys.stderr)
            return 404, {}
        return 307, {"Location": self.bucket.address(self.command, reference)}

    def log_message(self, *_):
        """Requests that are answered need no line."""


def main(node_data):
    with open(node_data, encoding="utf-8") as file:
        Registry.bucket = Bucket(json.load(file))
    http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Registry).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
