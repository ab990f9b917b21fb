"""Renders kubeadm's configuration of this node: render.py TEMPLATES OUTPUT DOCUMENT...

The documents (node data, facts of the instance, what the caller adds) are merged into one; values derived from them are in
`derive` below. A template's {{ name }} is replaced by the value of that name as JSON, which is YAML, too: no value can break
out of its place. An unknown name is an error. Nothing here depends on time, order or chance: same input, same bytes.
"""

import json
import os
import re
import sys

PLACEHOLDER = re.compile(r"\{\{ ([A-Za-z.]+) \}\}")

# Reserved for the system and the kubelet, by size of the instance. CPU as EKS and GKE do it: 6 % of the first core, 1 % of
# the second, 0.5 % of the next two, 0.25 % of each further one. Memory: 5 %, at least 256 MiB, at most 2 GiB: a t3.medium
# must keep room for the control plane, which the common quarter of 4 GiB would not leave.
CPU_SHARES = [60, 10, 5, 5]
CPU_SHARE_BEYOND = 2.5


def reserved(cpus, memory_mib):
    shares = CPU_SHARES[:cpus] + [CPU_SHARE_BEYOND] * max(0, cpus - len(CPU_SHARES))
    memory = min(2048, max(256, memory_mib * 5 // 100))
    return {"cpu": f"{int(sum(shares))}m", "memory": f"{memory}Mi", "ephemeral-storage": "1Gi"}


def derive(data):
    """Everything that templates name beside the plain fields of the documents."""
    version = data["kubernetes"]["version"]
    names = {
        "version": f"v{version}",
        "endpoint": f"{data['endpoint']['name']}:{data['endpoint']['port']}",
        "providerId": f"aws:///{data['availabilityZone']}/{data['instanceId']}",
        "kubeReserved": reserved(data["cpus"], data["memoryMiB"]),
    }
    if data["role"] == "seat":
        seat = data["seat"]
        both = [seat["fixedIp"], data["privateIp"]]
        data_dir = "/var/lib/drowse/state/etcd"
        names |= {
            "fixedIp": seat["fixedIp"],
            "nodeLabels": "drowse.dev/ingress=true" if seat.get("ingress") else "",
            "taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}],
            "apiNames": [data["endpoint"]["name"], *data["endpoint"]["seats"], "127.0.0.1"],
            "etcdNames": both,
            "etcdData": data_dir,
            # The folder holds etcd's data on purpose, on a restore as after an interrupted first initialisation.
            "ignore": [f"DirAvailable-{data_dir.replace('/', '-')}"],
        }
    else:
        pool = data["pool"]
        # labelsOfPool in lib/node/node-data.ts says the same, with the reasons; a test compares them.
        labels = {"drowse.dev/pool": pool["name"]}
        if pool["ingress"]:
            labels["drowse.dev/ingress"] = "true"
        if pool["gpu"]:
            labels |= {"nvidia.com/gpu.present": "true", "k8s.amazonaws.com/accelerator": "nvidia"}
        labels |= pool["labels"]
        names |= {
            "nodeLabels": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
            "taints": pool["taints"],
            "ignore": [],
        }
    return names


def fill(template, names, name):
    def value(match):
        if match[1] not in names:
            raise SystemExit(f"{name}: nothing is called {match[1]}")
        return json.dumps(names[match[1]], ensure_ascii=False, separators=(", ", ": "))

    return PLACEHOLDER.sub(value, template)


def scalars(value, prefix=""):
    for key, item in value.items():
        path = f"{prefix}.{key}" if prefix else key
        yield path, item
        if isinstance(item, dict):
            yield from scalars(item, path)


def main(templates, output, *documents):
    data = {}
    for document in documents:
        with open(document, encoding="utf-8") as file:
            data |= json.load(file)
    names = dict(scalars(data)) | derive(data)
    # A join configuration needs a token, and is rendered alone once there is one.
    files = {
        name: (f"{data['role']}/{name}", names)
        for name in os.listdir(os.path.join(templates, data["role"]))
        if ("join" in name) == ("token" in data)
    }
    if "token" not in data:
        files |= {f"patches/{name}": (f"patches/{name}", names) for name in os.listdir(os.path.join(templates, "patches"))}
    if "kubeadm-init.yaml" in files:
        # What the cluster keeps of it: other seats must not look for this instance's primary address in their certificates. All but its
        # first document is the same on each seat.
        files["kubeadm-shared.yaml"] = ("seat/kubeadm-init.yaml", names | {"etcdNames": []})
    for name, (template, values) in sorted(files.items()):
        with open(os.path.join(templates, template), encoding="utf-8") as file:
            text = fill(file.read(), values, template)
        path = os.path.join(output, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".new", path)


main(*sys.argv[1:])
