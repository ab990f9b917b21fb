#!/usr/bin/env python3
"""Make core/facts/*.json: what AWS has where, what its instance types are, and what they cost.

    .venv/bin/python scripts/facts/generate.py [--sources FOLDER] [--only NAME] [--types-of FOLDER] [--check]

Sources, all public and pinned below (nothing of them is copied but facts):
  cfn-lint (PyPI)                CloudFormation's resource types by region, and letters of availability zones
  moto (PyPI)                    answers of DescribeInstanceTypes and DescribeInstanceTypeOfferings
  Karpenter for AWS (Go module)  on-demand prices of us-east-1 from AWS's price list; compute capability of GPUs
  ec2-instances-info (Go module) the data of ec2instances.info: on-demand prices by region, types of the past
  k8s.io/api, k8s.io/kubelet     (Go modules) releases of Kubernetes, and labels that a kubelet may set on itself
  tzdata (PyPI)                  names of time zones

Python packages are read where they are installed (site-packages of the interpreter that runs this), or from their
wheels in FOLDER (`pip download --no-deps --dest FOLDER cfn-lint==… moto==… tzdata==…`). Go modules come from Go's
module cache; `go mod download` fetches them. `--types-of` names a folder of synthesized templates (cdk.out) whose
resource types the table of regions shall cover. `--check` writes nothing: it ends with 1 if a file would change, and
with 3 if a source is not at hand.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import io
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FACTS = ROOT / "core" / "facts"
SCRIPT = "scripts/facts/generate.py"

CFN_LINT = "1.58.0"
MOTO = "5.2.5"
KARPENTER = ("github.com/aws/karpenter-provider-aws", "v1.15.2")
EC2_INSTANCES = ("github.com/cristim/ec2-instances-info", "v0.0.0-20250528091325-32acf84f42eb")
TZDATA = "2026.6"
KUBELET = ("k8s.io/kubelet", "v0.36.6")
KUBERNETES_API = ("k8s.io/api", "v0.36.6")
#: Newest patch release of each minor, and the day on which k8s.io/api's list of versions said so.
NEWEST = {"1.35": 10, "1.36": 6, "1.37": 2}
LISTED = "2026-11-29"

#: Partition by the beginning of a region's name, and DNS suffix of each partition; source: botocore's partitions.json.
DNS_SUFFIXES = {
    "aws": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-us-gov": "amazonaws.com",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-eusc": "amazonaws.eu",
}
PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
}
#: A price that moved by more than this in us-east-1 between the two price lists is not trusted for other regions.
MOVED = 0.01


class MissingSourceError(Exception):
    """A source is not at hand."""


class Sources:
    """Files of the pinned packages, wherever they are."""

    def __init__(self, folder: Path | None, templates: Path | None) -> None:
        self._folder = folder
        self.templates = templates

    def package(self, name: str, version: str) -> Callable[[str], bytes]:
        """Reader of an installed Python package, or of its wheel."""
        site = Path(sysconfig.get_paths()["purelib"])
        stem = name.replace("-", "_")
        if (site / f"{stem}-{version}.dist-info").is_dir():
            return lambda path: (site / path).read_bytes()
        for wheel in sorted(self._folder.glob(f"{stem}-{version}-*.whl")) if self._folder else []:
            archive = zipfile.ZipFile(wheel)
            return archive.read
        raise MissingSourceError(f"{name} {version} is neither installed here nor a wheel in --sources")

    def names(self, name: str, version: str, prefix: str) -> list[str]:
        """Paths below a prefix of a package."""
        site = Path(sysconfig.get_paths()["purelib"])
        stem = name.replace("-", "_")
        if (site / f"{stem}-{version}.dist-info").is_dir():
            return sorted(str(path.relative_to(site)) for path in (site / prefix).iterdir())
        for wheel in sorted(self._folder.glob(f"{stem}-{version}-*.whl")) if self._folder else []:
            return sorted(name for name in zipfile.ZipFile(wheel).namelist() if name.startswith(prefix))
        raise MissingSourceError(f"{name} {version} is neither installed here nor a wheel in --sources")

    def module(self, module: tuple[str, str]) -> Callable[[str], bytes]:
        """Reader of a Go module's archive."""
        path, version = module
        escaped = re.sub("[A-Z]", lambda found: "!" + found[0].lower(), path)
        cached = _module_cache() / escaped / "@v" / f"{version}.zip"
        archive = zipfile.ZipFile(cached if cached.exists() else _download(path, version))
        return lambda name: archive.read(f"{path}@{version}/{name}")

    def versions(self, path: str) -> list[str]:
        """Versions of a Go module."""
        versions = _go("list", "-m", "-versions", path).split()[1:]
        if not versions:
            raise MissingSourceError(f"the list of versions of {path} could not be had")
        return versions


def _module_cache() -> Path:
    return Path(os.environ.get("GOMODCACHE") or Path.home() / "go" / "pkg" / "mod") / "cache" / "download"


def _download(path: str, version: str) -> Path:
    # With an older Go than the module asks for, the archive is there although the command fails.
    archive = json.loads(_go("mod", "download", "-json", f"{path}@{version}") or "{}").get("Zip")
    if not archive:
        raise MissingSourceError(f"Go module {path}@{version} could not be downloaded")
    return Path(archive)


def _go(*arguments: str) -> str:
    if os.environ.get("DROWSE_FACTS_OFFLINE") or shutil.which("go") is None:
        raise MissingSourceError(f"go {' '.join(arguments)} is needed: Go's module cache is not enough")
    return subprocess.run(["go", *arguments], capture_output=True, check=False, text=True).stdout


def regions(sources: Sources) -> dict[str, Any]:
    """Partition, zones and missing resource types of every region, for the resource types that the stacks use."""
    read = sources.package("cfn-lint", CFN_LINT)
    date = json.loads(read("cfnlint/data/schemas/version.json"))["schema_date"][:10]
    zones = _assigned(read("cfnlint/helpers.py").decode(), "AVAILABILITY_ZONES")
    used = json.loads((FACTS / "regions.json").read_text())["resourceTypes"]
    if sources.templates:
        used = sorted({*used, *used_types(sources.templates)})
    table = {}
    for region, names in sorted(zones.items()):
        try:
            types = set(json.loads(read(f"cfnlint/data/schemas/providers/{region}.json")))
        except (FileNotFoundError, KeyError):
            types = set()
        table[region] = {
            "partition": next((part for start, part in PARTITIONS.items() if region.startswith(start)), "aws"),
            "zones": "".join(name.removeprefix(region) for name in names),
            "lacks": [one for one in used if one not in types] if types else None,
        }
    return {
        "about": "Regions of AWS: partition, letters of zones, and which of our resource types CloudFormation lacks "
        "there (null: the source does not say)",
        "sources": [f"cfn-lint {CFN_LINT} (PyPI), resource schemas of {date}"],
        "date": date,
        "script": SCRIPT,
        "dnsSuffixes": DNS_SUFFIXES,
        "resourceTypes": used,
        "regions": table,
    }


def used_types(folder: Path) -> list[str]:
    """Resource types of all templates in a folder, CDK's own and custom ones left out."""
    templates = [json.loads(file.read_text()) for file in sorted(folder.glob("*.template.json"))]
    found = {one["Type"] for template in templates for one in template.get("Resources", {}).values()}
    return sorted(one for one in found if one.startswith("AWS::") and not one.startswith("AWS::CDK::"))


def instance_types(sources: Sources) -> dict[str, Any]:
    """Size, architecture and GPUs of every type, and in which regions it is offered."""
    read = sources.package("moto", MOTO)
    described = _gunzip(read("moto/ec2/resources/instance_types.json.gz"))
    folder = "moto/ec2/resources/instance_type_offerings/region"
    offered: dict[str, list[str]] = {}
    offering_regions = []
    for name in sources.names("moto", MOTO, folder):
        region = name.rsplit("/", 1)[1].removesuffix(".json.gz")
        offering_regions.append(region)
        for one in _gunzip(read(name)):
            offered.setdefault(one["InstanceType"], []).append(region)
    capability = _capabilities(sources)
    types = {name: _described(one) for name, one in described.items()}
    for name, one in _past(sources).items():
        types.setdefault(name, one)
    for name, one in types.items():
        if one.get("gpus"):
            one["computeCapability"] = capability.get(name) or capability.get(one["gpu"])
    # What has a price is offered: all that is known of the regions that moto lacks.
    older, old_date = _older_prices(sources)
    older_regions = sorted(
        one for one in older if one not in offering_regions and not one.startswith(("us-gov-", "cn-"))
    )
    for region in older_regions:
        offering_regions.append(region)
        for name in older[region]:
            offered.setdefault(name, []).append(region)
    offering_regions.sort()
    priced = prices(sources)
    rows = {}
    for name, one in sorted(types.items()):
        costs = dict(zip(priced["regions"], priced["types"].get(name, []), strict=False))
        where = {region for region in offering_regions if region in offered.get(name, []) or costs.get(region)}
        if where and len(where) < len(offering_regions):
            one["regions"] = f"{sum(1 << offering_regions.index(region) for region in where):x}"
        rows[name] = {key: value for key, value in one.items() if value is not None}
    return {
        "about": "Instance types: vCPUs, memory (GiB), architectures if not x86_64 alone, GPUs as Kubernetes counts "
        "them, and which of offeringRegions offer the type, as a hexadecimal number whose bit n stands for the region "
        "at index n (without it: all, or not known). A region offers what it lists or has a price for. Zones are those "
        "of one account: others may have other letters. Of the regions of olderOfferings only that list is known",
        "sources": [
            f"moto {MOTO} (PyPI, 2026-10-27): DescribeInstanceTypes and DescribeInstanceTypeOfferings",
            f"{KARPENTER[0]} {KARPENTER[1]}: compute capability",
            f"{EC2_INSTANCES[0]} {EC2_INSTANCES[1]}: types that DescribeInstanceTypes no longer shows, "
            f"and what {' and '.join(older_regions)} offer",
        ],
        "date": "2026-10-27",
        "script": SCRIPT,
        "zones": _zones(read("moto/ec2/models/availability_zones_and_regions.py").decode()),
        "offeringRegions": offering_regions,
        "olderOfferings": dict.fromkeys(older_regions, old_date),
        "types": rows,
    }


def _zones(source: str) -> dict[str, str]:
    """Letters of zones by region, from calls like Zone(region_name=…, name=…)."""
    zones: dict[str, str] = {}
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and getattr(call.func, "id", None) == "Zone":
            given = {word.arg: word.value.value for word in call.keywords if isinstance(word.value, ast.Constant)}
            if not {"region_name", "name"} <= given.keys():
                continue
            region, name = str(given["region_name"]), str(given["name"])
            zones[region] = zones.get(region, "") + name.removeprefix(region)
    return dict(sorted(zones.items()))


def _described(one: dict[str, Any]) -> dict[str, Any]:
    architectures = [name for name in one["ProcessorInfo"]["SupportedArchitectures"] if name != "i386"]
    devices = (one.get("GpuInfo") or {}).get("Gpus", [])
    if len(devices) > 1:
        raise ValueError(f"{one['InstanceType']} has several kinds of GPU")
    device = devices[0] if devices else None
    uses = one["SupportedUsageClasses"]
    return {
        "vCpus": one["VCpuInfo"]["DefaultVCpus"],
        "memoryGiB": round(one["MemoryInfo"]["SizeInMiB"] / 1024, 2),
        "architectures": architectures if architectures != ["x86_64"] else None,
        "manufacturer": device["Manufacturer"] if device and device["Manufacturer"] != "NVIDIA" else None,
        "gpu": device["Name"] if device else None,
        "gpus": device["LogicalGpuCount"] if device else None,
        "gpuPart": device["GpuPartitionSize"] if device and device["GpuPartitionSize"] < 1 else None,
        "spot": False if "spot" not in uses else None,
    }


def _past(sources: Sources) -> dict[str, dict[str, Any]]:
    """Types of the past, which accounts may still run."""
    read = sources.module(EC2_INSTANCES)
    past = {}
    for one in json.loads(read("data/instances.json")):
        architectures = [name for name in one["arch"] if name != "i386"]
        model = one["GPU_model"] if one["GPU"] else None
        nvidia = model is not None and model.startswith("NVIDIA ")
        past[one["instance_type"]] = {
            "vCpus": int(one["vCPU"]),
            "memoryGiB": one["memory"],
            "architectures": architectures if architectures != ["x86_64"] else None,
            "manufacturer": model.split()[0] if model and not nvidia else None,
            "gpu": model.split()[-1] if model else None,
            "gpus": int(one["GPU"]) or None,
            "past": True,
        }
    return past


def _capabilities(sources: Sources) -> dict[str, float]:
    """CUDA compute capability by type, and by the name of the GPU."""
    found: dict[str, float] = {}
    for one in json.loads(sources.module(EC2_INSTANCES)("data/instances.json")):
        if one["GPU"] and one["compute_capability"]:
            model = one["GPU_model"].removeprefix("NVIDIA ").removesuffix(" Tensor Core")
            for name in (one["instance_type"], one["GPU_model"].split()[-1], model):
                found[name] = float(one["compute_capability"])
    text = sources.module(KARPENTER)("pkg/providers/drametadata/zz_generated_gpu_metadata.go").decode()
    for name, body in re.findall(r'^\t"([a-z0-9.-]+)": \{(.*?)^\t\},', text, re.M | re.S):
        capability = re.search(r'"cudaComputeCapability":\s+\{VersionValue: strPtr\("(\d+\.\d+)', body)
        if capability:
            found[name] = float(capability[1])
    return found


def prices(sources: Sources) -> dict[str, Any]:
    """On-demand prices (USD an hour, Linux, shared tenancy) by region."""
    karpenter = sources.module(KARPENTER)
    newest: dict[str, dict[str, float]] = {}
    dates = []
    for name in ("aws", "aws_us_gov"):
        text = karpenter(f"pkg/providers/pricing/zz_generated.pricing_{name}.go").decode()
        dates.append(re.search(r"generated at (\d{4}-\d\d-\d\d)", text)[1])  # type: ignore[index]
        for region, body in re.findall(r'^\t"([a-z0-9-]+)": \{(.*?)^\t\},', text, re.M | re.S):
            found = re.findall(r'"([a-z0-9-]+\.[a-z0-9-]+)": ([0-9.]+)', body)
            newest[region] = {one: float(price) for one, price in found}
    older, old_date = _older_prices(sources)
    moved = {
        one
        for one, price in newest["us-east-1"].items()
        if one in older["us-east-1"] and abs(older["us-east-1"][one] / price - 1) > MOVED
    }
    table = {region: {one: price for one, price in own.items() if one not in moved} for region, own in older.items()}
    table.update(newest)
    names = sorted(table)
    rows = {
        one: [_short(table[region][one]) if one in table[region] else 0 for region in names]
        for one in sorted({one for own in table.values() for one in own})
    }
    return {
        "about": "On-demand prices of instance types in USD an hour (Linux, shared tenancy), in the order of regions; "
        "0: not known. A price that moved by more than 1 % in us-east-1 between the two lists is left out elsewhere",
        "sources": [
            f"{KARPENTER[0]} {KARPENTER[1]}: {', '.join(sorted(newest))}, AWS's price list of {dates[0]}",
            f"{EC2_INSTANCES[0]} {EC2_INSTANCES[1]}: other regions, AWS's price list of {old_date}",
        ],
        "date": dates[0],
        "script": SCRIPT,
        "dates": {region: dates[0] if region in newest else old_date for region in names},
        "regions": names,
        "types": rows,
    }


def _older_prices(sources: Sources) -> tuple[dict[str, dict[str, float]], str]:
    """On-demand prices by region and type as ec2instances.info had them, and of which day they are."""
    older: dict[str, dict[str, float]] = {}
    for one in json.loads(sources.module(EC2_INSTANCES)("data/instances.json")):
        for region, kinds in one["pricing"].items():
            price = kinds.get("linux", {}).get("ondemand")
            if re.fullmatch(r"[a-z]+(-[a-z]+)+-\d", region) and price not in (None, "N/A"):
                older.setdefault(region, {})[one["instance_type"]] = float(price)
    date = EC2_INSTANCES[1].split("-")[1]
    return older, f"{date[:4]}-{date[4:6]}-{date[6:8]}"


def kubernetes(sources: Sources) -> dict[str, Any]:
    """Releases of Kubernetes, and the labels of its own that a kubelet may set on its node."""
    listed = set(sources.versions("k8s.io/api"))
    releases = {
        minor: [patch for patch in range(newest + 1) if f"v0.{minor[2:]}.{patch}" in listed]
        for minor, newest in NEWEST.items()
    }
    constants: dict[str, str] = {}
    for module, file in (
        (KUBERNETES_API, "core/v1/well_known_labels.go"),
        (KUBELET, "pkg/apis/well_known_labels.go"),
    ):
        constants.update(re.findall(r'^\s*(\w+)\s*=\s*"([^"]+)"', sources.module(module)(file).decode(), re.M))
    text = sources.module(KUBELET)("pkg/apis/well_known_labels.go").decode()

    def named(variable: str) -> list[str]:
        body = re.search(rf"{variable} = sets\.New\w*(?:\[string\])?\((.*?)^\)", text, re.M | re.S)
        if body is None:
            raise ValueError(f"no {variable}")
        return sorted(constants[name] for name in re.findall(r"(?:v1\.)?(\w+),", body[1]))

    return {
        "about": "Kubernetes: patch releases by minor; labels in kubernetes.io and k8s.io that a kubelet may set on "
        "its own node, and the namespaces (subdomains included) in which it may set any",
        "sources": [
            f"k8s.io/api (Go module): list of versions of {LISTED}",
            f"{KUBELET[0]} {KUBELET[1]}: pkg/apis/well_known_labels.go",
        ],
        "date": LISTED,
        "script": SCRIPT,
        "releases": releases,
        "kubeletLabels": named("kubeletLabels"),
        "kubeletLabelNamespaces": named("kubeletLabelNamespaces"),
    }


def time_zones(sources: Sources) -> dict[str, Any]:
    """Names of the IANA time zone database."""
    names = sources.package("tzdata", TZDATA)("tzdata/zones").decode().split()
    return {
        "about": "Names of time zones in the IANA database, links included",
        "sources": [f"tzdata {TZDATA} (PyPI)"],
        "date": "2026-10-28",
        "script": SCRIPT,
        "names": sorted(name for name in names if name != "Factory"),
    }


def _short(price: float) -> float:
    return round(price, 5)


def _gunzip(data: bytes) -> Any:
    return json.load(gzip.GzipFile(fileobj=io.BytesIO(data)))


def _assigned(source: str, name: str) -> Any:
    """The literal that a module assigns to a name, without running the module."""
    for statement in ast.parse(source).body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if any(getattr(target, "id", None) == name for target in targets):
            return ast.literal_eval(statement.value)  # type: ignore[attr-defined]
    raise ValueError(f"no {name}")


def _written(facts: dict[str, Any]) -> str:
    """JSON with one line a row, so that a diff shows what changed."""
    return "".join(_lines(facts)) + "\n"


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    yield "{\n"
    for index, (key, value) in enumerate(facts.items()):
        yield ",\n" if index else ""
        if isinstance(value, dict):
            rows = ",\n".join(f"    {json.dumps(name)}: {_compact(row)}" for name, row in value.items())
            yield f"  {json.dumps(key)}: {{\n{rows}\n  }}"
        else:
            yield f"  {json.dumps(key)}: {_compact(value)}"
    yield "\n}"


def _compact(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, list):
        return f"[{','.join(_compact(one) for one in value)}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_compact(one)}" for key, one in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


MAKERS = {
    "regions": regions,
    "instance-types": instance_types,
    "prices": prices,
    "kubernetes": kubernetes,
    "time-zones": time_zones,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", type=Path)
    parser.add_argument("--only", choices=MAKERS, action="append")
    parser.add_argument("--types-of", type=Path)
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args()
    sources = Sources(given.sources, given.types_of)
    status = 0
    for name in given.only or MAKERS:
        file = FACTS / f"{name}.json"
        try:
            text = _written(MAKERS[name](sources))
        except MissingSourceError as missing:
            print(f"{name}: {missing}", file=sys.stderr)
            return 3
        if not given.check:
            file.write_text(text)
        elif file.read_text() != text:
            print(f"{name}: {file} is not what the sources say; run {SCRIPT} --only {name}", file=sys.stderr)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
