"""Two small conversions for the shell scripts, with nothing but what every Ubuntu image carries.

  data.py flatten FILE           JSON object -> lines "dotted.key<TAB>value", one per scalar
  data.py rows FILE SET FIELD…   EC2 query API answer -> one line per item of the set, each field ended by US (0x1f)

A set or a field is a dotted path, through every <item> on its way; several values are joined by commas. tag:NAME is the value of
that tag. What an item lacks is empty.
"""

import sys

# What AWS cannot have in a value, and bash keeps apart even around empty fields.
SEPARATOR = "\x1f"


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


class Element:
    """What an XML document is made of here; xml.etree, which has more, takes longer to load than all of this to run."""

    def __init__(self, tag):
        self.tag = tag
        self.text = ""
        self.children = []

    def named(self, tag):
        return [child for child in self.children if child.tag == tag]


def parse(file):
    """The document element, with what is in it."""
    import pyexpat

    path = [Element("")]

    def start(tag, _):
        path[-1].children.append(Element(tag))
        path.append(path[-1].children[-1])

    def text(words):
        path[-1].text += words

    parser = pyexpat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: path.pop()
    parser.CharacterDataHandler = text
    parser.ParseFile(file)
    return path[0].children[0]


def below(elements, path):
    """The elements at a path below these."""
    for name in path.split(".") if path else []:
        elements = [child for element in elements for child in element.named(name)]
        items = [item for element in elements for item in element.named("item")]
        elements = items if items or name.endswith("Set") else elements
    return elements


def field(item, name):
    if name.startswith("tag:"):
        pairs = ((field(tag, "key"), field(tag, "value")) for tag in below([item], "tagSet"))
        return next((value for key, value in pairs if key == name.removeprefix("tag:")), "")
    text = ",".join(element.text for element in below([item], name))
    if "\n" in text or SEPARATOR in text:
        raise SystemExit(f"{name}: line ends and separators have no place here")
    return text


def main(mode, path, *words):
    with open(path, "rb") as file:
        if mode == "flatten":
            # Imported where it is needed: half of the time that these few lines take.
            import json

            document = json.load(file)
            if not isinstance(document, dict):
                raise SystemExit("not an object")
            for key, text in flatten(document):
                print(f"{key}\t{text}")
        elif mode == "rows":
            for item in below([parse(file)], words[0]):
                print("".join(field(item, name) + SEPARATOR for name in words[1:]))
        else:
            raise SystemExit(f"unknown mode {mode}")


main(*sys.argv[1:])
