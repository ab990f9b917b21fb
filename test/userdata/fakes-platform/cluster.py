"""A cluster's API with Flux behind it, as far as the platform's commands look at it; run by the fake kubectl.

/test/volume/cluster.json   what etcd holds: objects by kind/namespace/name
/test/world/scenario.json   what goes wrong, see Scenario in platform-commands.test.ts
/test/world/flux.json       what Flux was asked, and how often somebody has looked since
/test/world/api-up          exists while the API answers
"""

import json
import os
import sys

FLAGS = ["--server-side", "--force-conflicts", "--overwrite", "--ignore-not-found"]
FLAGS += ["--ignore-daemonsets", "--delete-emptydir-data", "--force", "--all-namespaces"]
LAYERS = "kustomizations.kustomize.toolkit.fluxcd.io"


texts = {}


def read(path, otherwise):
    try:
        with open(path, encoding="utf-8") as file:
            texts[path] = file.read()
        return json.loads(texts[path])
    except FileNotFoundError:
        return otherwise


objects = read("/test/volume/cluster.json", {})
scenario = read("/test/world/scenario.json", {})
flux = read("/test/world/flux.json", {"requested": {}, "handled": {}, "looks": {}})


def end(code=0, error=""):
    for path, content in (("/test/volume/cluster.json", objects), ("/test/world/flux.json", flux)):
        text = json.dumps(content, sort_keys=True)
        if texts.get(path) == text:
            continue
        # Whole or not at all: two of us may stand in one pipeline.
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".new", path)
    if error:
        print(error, file=sys.stderr)
    sys.exit(code)


def options(arguments):
    """Words, and options with their values; the flags that have none are known."""
    words, named = [], {}
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word in FLAGS or "=" in word and word.startswith("--"):
            named[word.split("=")[0]] = True
        elif word.startswith("--"):
            named[word] = rest.pop(0)
        else:
            words.append(word)
    return words, named


def key_of(document):
    metadata = document["metadata"]
    return f"{document['kind']}/{metadata.get('namespace', '')}/{metadata['name']}"


def documents_of(path):
    with open(0 if path == "-" else path, encoding="utf-8") as file:
        text = file.read()
    if text.startswith("{"):
        return [json.loads(text)]
    # They take longer than all the rest, and are seldom needed.
    import site

    site.main()
    import yaml

    return [one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one]


def apply(path):
    documents = documents_of(path)
    documents = [item for one in documents for item in (one["items"] if one["kind"] == "List" else [one])]
    defined = any("toolkit.fluxcd.io" in one["apiVersion"] for one in documents)
    if defined and looked("definitions") <= scenario.get("definitionsAfter", 0):
        end(1, 'no matches for kind "Bucket" in version "source.toolkit.fluxcd.io/v1"')
    for one in documents:
        if one["kind"] == "Secret" and f"Namespace//{one['metadata']['namespace']}" not in objects:
            end(1, "namespace not found")
        before = objects.get(key_of(one), {})
        kept = {name: before[name] for name in ("status",) if name in before}
        objects[key_of(one)] = {**one, **kept}
        kind = "job.batch" if one["kind"] == "Job" else one["kind"].lower()
        print(f"{kind}/{one['metadata']['name']}")


def looked(name):
    flux["looks"][name] = flux["looks"].get(name, 0) + 1
    return flux["looks"][name]


def job(name):
    key = f"Job/flux-system/{name}"
    if key not in objects:
        end(1, "jobs not found")
    if "status" not in objects[key] and looked(name) > 1 and not scenario.get("jobHangs"):
        condition = "Failed" if scenario.get("jobFails") else "Complete"
        objects[key]["status"] = {"conditions": [{"type": condition, "status": "True"}]}
    return objects[key]


def part(name, key):
    """The object as Flux shows it: one look after it was asked, it has answered."""
    if key not in objects:
        end(1, f"{name} not found")
    asked = flux["requested"].get(name)
    told = scenario.get("parts", {}).get(name, {})
    if asked and flux["handled"].get(name) != asked and looked(name) > 1 and not told.get("silent"):
        flux["handled"][name] = asked
        condition = {"type": "Ready", "status": "True", "message": "Applied"}
        if told:
            condition = {"type": "Ready", "status": "False", **told}
        objects[key]["status"] = {"conditions": [condition], "observedGeneration": 1}
        if name == "Kustomization/platform":
            for layer in scenario.get("layers", ["base", "network", "network-config", "ingress", "apps"]):
                metadata = {"name": layer, "labels": {"drowse.dev/layer": "some", **scenario.get("labels", {}).get(layer, {})}}
                spec = {"dependsOn": [{"name": other} for other in scenario.get("dependsOn", {}).get(layer, [])]}
                objects[f"Kustomization/flux-system/{layer}"] = {
                    **objects.get(f"Kustomization/flux-system/{layer}", {"kind": "Kustomization", "spec": spec}),
                    "metadata": metadata,
                }
    shown = json.loads(json.dumps(objects[key]))
    shown["metadata"]["generation"] = 1
    if name in flux["handled"]:
        shown["status"]["lastHandledReconcileAt"] = flux["handled"][name]
    return shown


def layers():
    return sorted(key.split("/")[2] for key, one in objects.items() if "drowse.dev/layer" in one["metadata"].get("labels", {}))


def get(words, named):
    what = words[0]
    if what.startswith("job.batch/"):
        print(json.dumps(job(what.split("/")[1])))
    elif what == "secret":
        if f"Secret/{named['--namespace']}/{words[1]}" in objects:
            print(f"secret/{words[1]}")
    elif what == "pods":
        waiting = {"reason": "ImagePullBackOff", "message": "no such image"}
        print(json.dumps({"items": [{"status": {"containerStatuses": [{"state": {"waiting": waiting}}]}}]}))
    elif what == "nodes,volumeattachments":
        for kind in ("Node", "VolumeAttachment"):
            for key, one in sorted(objects.items()):
                if key.startswith(kind + "/"):
                    print(kind, one["metadata"]["name"], one["spec"].get("nodeName", ""))
    elif what in ("nodes", "node"):
        nodes = [one for key, one in sorted(objects.items()) if key.startswith("Node/")]
        label, _, value = named.get("--selector", "").partition("=")
        nodes = [one for one in nodes if not value or one["metadata"].get("labels", {}).get(label) == value]
        print(json.dumps({"items": nodes} if what == "nodes" else next(one for one in nodes if one["metadata"]["name"] == words[1])))
    elif what in ("jobs", "events", "certificatesigningrequests") or "," in what:
        print(json.dumps({"items": []}))
    elif what == LAYERS:
        items = [part(f"Kustomization/{name}", f"Kustomization/flux-system/{name}") for name in layers()]
        print(json.dumps({"kind": "List", "items": items}))
    else:
        kind = "Kustomization" if what.startswith(LAYERS) else what.split(".")[0]
        print(json.dumps(part(f"{kind}/platform", f"{kind}/flux-system/platform")))


def annotate(words):
    if words[0] == "node":
        for name in words[1:-1]:
            mark, value = words[-1].split("=")
            objects[f"Node//{name}"]["metadata"].setdefault("annotations", {})[mark] = value
        return
    stamp = words[1].removeprefix("reconcile.fluxcd.io/requestedAt=")
    kind = "Kustomization" if words[0].startswith(LAYERS) else words[0].split(".")[0]
    for name in layers() if words[0] == LAYERS else ["platform"]:
        flux["requested"][f"{kind}/{name}"] = stamp
        flux["looks"].pop(f"{kind}/{name}", None)


def patch(name, change):
    node = objects[f"Node//{name}"]
    for mark, value in change["metadata"]["annotations"].items():
        assert value is None
        node["metadata"]["annotations"].pop(mark, None)
    assert change["spec"] == {"unschedulable": None}
    node["spec"].pop("unschedulable", None)


def delete(kind, *names, namespace=""):
    if kind.startswith("job.batch/"):
        objects.pop(f"Job/flux-system/{kind.split('/')[1]}", None)
        flux["looks"].pop(kind.split("/")[1], None)
    for name in names:
        kinds = {"node": "Node/", "volumeattachment": "VolumeAttachment/", "namespace": "Namespace/", "pod": f"Pod/{namespace}"}
        objects.pop(f"{kinds[kind]}/{name}", None)
        for key in [key for key in objects if kind == "namespace" and key.split("/")[1] == name]:
            del objects[key]


def main():
    words, named = options(sys.argv[1:])
    if scenario.get("apiGoneAt", "\0") in " ".join(sys.argv) and os.path.exists("/test/world/api-up"):
        os.remove("/test/world/api-up")
    if not os.path.exists("/test/world/api-up"):
        end(1, "connection refused")
    verb, *words = words
    if verb == "get":
        get(words, named)
    elif verb == "apply":
        apply(named["--filename"])
    elif verb == "annotate":
        annotate(words)
    elif verb == "patch" and words[0] == "node":
        patch(words[1], json.loads(named["--patch"]))
    elif verb == "cordon":
        for name in words:
            objects[f"Node//{name}"]["spec"]["unschedulable"] = True
    elif verb == "delete":
        delete(*words, namespace=named.get("--namespace", ""))
    elif verb == "create":
        print(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": words[1]}}))
    elif verb == "run":
        if f"Pod/{named['--namespace']}/{words[0]}" in objects:
            end(1, "pods already exists")
        objects[f"Pod/{named['--namespace']}/{words[0]}"] = {}
    elif verb == "logs":
        print("\n".join(scenario.get("jobLog", [])), end="")
    elif verb != "patch":
        end(2, f"the tests know no {verb}")
    end()


main()
