"""Two small conversions for the shell scripts, with nothing but what every Ubuntu image carries.

  data.py flatten FILE   JSON object -> lines "dotted.key<TAB>value", one per scalar
  data.py xml FILE       an EC2 query API answer -> JSON: lists where AWS writes <item>, strings elsewhere
"""

import json
import sys
import xml.etree.ElementTree as ElementTree


def flatten(value, prefix=""):
    """Yields (key, text) for each scalar below value; empty objects and arrays yield nothing."""
    if isinstance(value, (dict, list)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from flatten(item, f"{prefix}.{key}" if prefix else str(key))
        return
    if isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = "" if value is None else str(value)
    if "\n" in text or "\t" in text or "\n" in prefix or "\t" in prefix:
        raise SystemExit(f"{prefix}: tabs and line ends have no place here")
    yield prefix, text


def plain(element):
    """An element of an EC2 answer as dictionaries, lists and strings."""
    children = list(element)
    if not children:
        return element.text or ""
    names = [child.tag.rpartition("}")[2] for child in children]
    if set(names) == {"item"}:
        return [plain(child) for child in children]
    return dict(zip(names, map(plain, children)))


def main(mode, path):
    with open(path, encoding="utf-8") as file:
        if mode == "flatten":
            document = json.load(file)
            if not isinstance(document, dict):
                raise SystemExit("not an object")
            for key, text in flatten(document):
                print(f"{key}\t{text}")
        elif mode == "xml":
            json.dump(plain(ElementTree.parse(file).getroot()), sys.stdout)
        else:
            raise SystemExit(f"unknown mode {mode}")


main(*sys.argv[1:])
