"""Which requests for a kubelet's certificates may be signed, and which join tokens have served.

  approve.py instances REQUESTS RETIRED                     -> instance IDs that matter, one per line
  approve.py decide REQUESTS RETIRED INSTANCES GROUPS CLUSTER
      -> "name<US>approve|wait<US>reason" of each request that is open, and
         "token ID<US>retire<US>parameter" of each join token that has served, one per line

A kubelet asks twice: with a join token for its client certificate, and as a node for the one that it serves with. A serving
certificate is signed if it names nothing but what EC2 shows of the instance that asks; a client certificate if it is for the very
instance that the token was minted for, as long as EC2 and the Auto Scaling group say that this one is being launched, and once for
each token.

REQUESTS is a list of CertificateSigningRequests as kubectl prints it (JSON), RETIRED has the tokens that are gone, one per line.
INSTANCES and GROUPS have a line per instance that EC2 and Auto Scaling know, fields ended by US (0x1f): ID, state, cluster, pool,
time of the last start, private DNS name, public DNS name, public address, private addresses (by commas); and ID, lifecycle
state, group.

Nothing is ever denied: a kubelet files a denied request again and again, while one that is left open can still be signed once EC2
shows an address that just came. It gives up after 15 minutes and files a new one, and so does this.
"""

import base64
import datetime
import json
import re
import sys

from cryptography import x509
from cryptography.x509.oid import NameOID

SEPARATOR = "\x1f"
GROUP = "system:nodes"
SERVING = "kubernetes.io/kubelet-serving"
CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
# What the signers themselves take; kubelets of every supported minor ask for these.
USAGES = {
    SERVING: {"digital signature", "key encipherment", "server auth"},
    CLIENT: {"digital signature", "key encipherment", "client auth"},
}
INSTANCE = "i-[0-9a-f]{8,17}"
# A kubelet that has waited for so long has stopped waiting (certificateWaitTimeout of k8s.io/client-go's certificate manager).
OPEN_SECONDS = 15 * 60
# EC2 takes 200 values in one filter, Auto Scaling 50 IDs in one call; the rest comes in the next round.
INSTANCES = 50
# Lifecycle states of a launch, and those of an instance that comes back without one: its start must be recent.
LAUNCHING = {"Pending", "Pending:Wait", "Pending:Proceed"}
RETURNING = {"InService", "Standby"}
# A launch that took longer was given up (heartbeat of the launch hook, and the time that a node takes for its own).
LAUNCH_SECONDS = 60 * 60
# A kubelet holds its watch open while it waits, so it has its certificate at once; this is room for a busy one.
SERVED_SECONDS = 30


def seconds_since(text):
    """Seconds since a time as Kubernetes and AWS write it."""
    then = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (datetime.datetime.now(datetime.timezone.utc) - then).total_seconds()


class Request:
    """What a CertificateSigningRequest asks for, and who asks."""

    def __init__(self, item):
        spec, status = item["spec"], item.get("status", {})
        self.name = item["metadata"]["name"]
        self.user = spec.get("username", "")
        self.groups = spec.get("groups") or []
        self.usages = set(spec.get("usages") or [])
        self.signer = spec["signerName"]
        self.pem = base64.b64decode(spec["request"])
        conditions = status.get("conditions") or []
        self.open = not conditions and seconds_since(item["metadata"]["creationTimestamp"]) < OPEN_SECONDS
        approved = [one for one in conditions if one["type"] == "Approved"]
        self.approved = bool(approved)
        # Approved for so long, and signed: whoever asked has it.
        since = [seconds_since(one["lastUpdateTime"]) for one in approved if "lastUpdateTime" in one]
        self.served = bool(status.get("certificate")) and min(since, default=0) >= SERVED_SECONDS

    @property
    def ours(self):
        """Whether it is for us to decide. A node that renews its own client certificate asks the cluster itself."""
        return self.signer == SERVING or (self.signer == CLIENT and self.user.startswith("system:bootstrap:"))

    @property
    def token(self):
        """The ID of the join token that asks; empty if none does."""
        match = re.fullmatch(r"system:bootstrap:([a-z0-9]{6})", self.user)
        return match[1] if match else ""

    @property
    def instance(self):
        """The ID of the instance that asks: by its name as a node, or by the one group of its token; empty if none does."""
        names = [self.user] if self.signer == SERVING else self.groups if self.token else []
        prefix = "system:node:" if self.signer == SERVING else "system:bootstrappers:drowse:"
        found = {match[1] for name in names if (match := re.fullmatch(f"{prefix}({INSTANCE})", name))}
        return found.pop() if len(found) == 1 else ""

    def wanted(self):
        """(subject, DNS names, addresses, number of names of another kind) of the request inside."""
        inner = x509.load_pem_x509_csr(self.pem)
        if not inner.is_signature_valid:
            raise ValueError("not signed with its own key")
        subject = sorted((part.oid.dotted_string, part.value) for part in inner.subject)
        try:
            names = list(inner.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
        except x509.ExtensionNotFound:
            names = []
        dns = [name.value for name in names if isinstance(name, x509.DNSName)]
        addresses = [str(name.value) for name in names if isinstance(name, x509.IPAddress)]
        return subject, dns, addresses, len(names) - len(dns) - len(addresses)


class Cloud:
    """What AWS says of the instances that matter."""

    def __init__(self, instances, groups, cluster):
        self.instances = {row[0]: row[1:9] for row in rows(instances) if len(row) > 8}
        self.groups = {row[0]: row[1:3] for row in rows(groups) if len(row) > 2}
        self.cluster = cluster

    def refusal(self, instance):
        """Why an instance is none of ours; empty if it is."""
        if instance not in self.instances:
            return "EC2 knows no such instance"
        state, owner = self.instances[instance][:2]
        if owner != self.cluster or state not in ("pending", "running"):
            return "the instance is not of this cluster, or does not run"
        return ""

    def launches(self, instance):
        """Whether an instance of a group of ours is on its way into the cluster."""
        lifecycle, group = self.groups.get(instance, ("", ""))
        seat = group.startswith(f"{self.cluster}-seat-")
        if not seat and not group.startswith(f"{self.cluster}-pool-"):
            return False
        if lifecycle in LAUNCHING:
            return True
        # A seat may wait for a quorum for as long as it takes: it makes its token by itself, with an administrator's credentials.
        recent = seat or seconds_since(self.instances[instance][3]) < LAUNCH_SECONDS
        return lifecycle in RETURNING and recent


def rows(path):
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n").split(SEPARATOR) for line in file]


def refusal(request, cloud, used):
    """Why a request cannot be signed now; empty if it can."""
    client = request.signer == CLIENT
    if not request.instance or (not client and GROUP not in request.groups):
        return "no node of ours asks"
    if not request.usages <= USAGES[request.signer]:
        return "more usages than a kubelet has"
    why = cloud.refusal(request.instance)
    if why:
        return why
    try:
        subject, dns, addresses, others = request.wanted()
    except ValueError:
        return "the request cannot be read"
    name = f"system:node:{request.instance}"
    if subject != sorted([(NameOID.COMMON_NAME.dotted_string, name), (NameOID.ORGANIZATION_NAME.dotted_string, GROUP)]):
        return "the subject is not who asks"
    if client:
        if dns or addresses or others:
            return "a name in a client certificate"
        if request.token in used:
            return "the token has been used"
        return "" if cloud.launches(request.instance) else "the instance is not being launched"
    if not dns and not addresses:
        return "neither a name nor an address"
    private_name, public_name, public_address, private = cloud.instances[request.instance][4:8]
    if others or not set(dns) <= {name for name in (request.instance, private_name, public_name) if name}:
        return "a name that the instance does not have"
    if not set(addresses) <= {address for address in [public_address, *private.split(",")] if address}:
        return "an address that the instance does not have"
    return ""


def parameter(request, cloud):
    """Where the token of a request lies; empty for a seat's own, which lies nowhere."""
    pool = cloud.instances.get(request.instance, ["", "", ""])[2]
    return f"join/{pool}/{request.instance}" if re.fullmatch("[a-z0-9-]{1,40}", pool) else ""


def main(mode, path, retired, *rest):
    with open(path, encoding="utf-8") as file:
        requests = [request for request in map(Request, json.load(file)["items"]) if request.ours]
    with open(retired, encoding="utf-8") as file:
        gone = set(file.read().split())
    served = {one.token: one for one in requests if one.token and one.served and one.token not in gone}
    asking = [request for request in requests if request.open]
    if mode == "instances":
        for instance in sorted({one.instance for one in [*asking, *served.values()]} - {""})[:INSTANCES]:
            print(instance)
    elif mode == "decide":
        cloud = Cloud(*rest)
        used = {one.token for one in requests if one.token and one.approved}
        for request in asking:
            reason = refusal(request, cloud, used)
            if not reason and request.token:
                used.add(request.token)
            print(SEPARATOR.join([request.name, "wait" if reason else "approve", reason]))
        for token, request in sorted(served.items()):
            print(SEPARATOR.join([token, "retire", parameter(request, cloud)]))
    else:
        raise SystemExit(f"unknown mode {mode}")


main(*sys.argv[1:])
