"""What was written to log files since the last look, as one body of PutLogEvents.

  tail.py OFFSETS GROUP STREAM LABEL FILE…   prints the body, or nothing; the offsets after it go into OFFSETS.new

OFFSETS is a JSON object: how far each file was read, by its folder and inode, so that a file that was renamed since (rotation) is
read to its end and a new one of the same name from its start. Only whole lines are taken. The caller keeps OFFSETS.new once
CloudWatch has taken the body. LABEL stands before each line; `path` is the folder of the file, as the kubelet names pods.

One body stays within what CloudWatch takes: 1 MiB of messages with 26 bytes for each, 10,000 events, in their order, none a day
older than the last.
"""

import datetime
import json
import os
import re
import sys

BYTES = 400_000
EVENTS = 5_000
LONGEST = 8_000
DAY_MS = 23 * 3600 * 1000
# Of the audit log in the event, of the container runtime at the beginning of the line.
TIMES = (
    re.compile(r'"requestReceivedTimestamp":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,3}))?\d*Z"'),
    re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,3}))?\d*(?:Z|\+00:00) "),
)


def read(offsets, files):
    """(file, line) of what is new, oldest file first; offsets are moved on."""
    there = {}
    opened = []
    for name in files:
        try:
            file = open(name, "rb")
        except OSError:  # rotated away between the listing and now
            continue
        status = os.fstat(file.fileno())
        there[f"{os.path.dirname(name)}:{status.st_ino}"] = name
        opened.append((status.st_mtime_ns, f"{os.path.dirname(name)}:{status.st_ino}", name, status.st_size, file))
    for gone in set(offsets) - set(there):
        del offsets[gone]
    left, count = BYTES, 0
    for _, key, name, size, file in sorted(opened, key=lambda one: one[:2]):
        with file:
            at = offsets.get(key, 0)
            at = at if at <= size else 0
            file.seek(at)
            chunk = file.read(left)
            whole = chunk.rfind(b"\n") + 1
            if whole == 0 and len(chunk) == BYTES:  # a line that nobody can mean
                whole = len(chunk)
            for line in chunk[:whole].splitlines(keepends=True):
                if count == EVENTS:
                    break
                at += len(line)
                left -= len(line)
                count += 1
                yield name, line.decode("utf-8", "ignore").rstrip("\n")
            offsets[key] = at
            if left <= 0 or count == EVENTS:
                break


def time_of(line, before):
    """Milliseconds since 1970 of a line; of the one before if it does not say."""
    for pattern in TIMES:
        found = pattern.search(line, 0, LONGEST) if pattern is TIMES[0] else pattern.match(line)
        if found:
            second = datetime.datetime.fromisoformat(f"{found[1]}+00:00")
            return int(second.timestamp()) * 1000 + int((found[2] or "0").ljust(3, "0"))
    return before


def main(offsets_file, group, stream, label, *files):
    try:
        with open(offsets_file, encoding="utf-8") as file:
            offsets = json.load(file)
    except FileNotFoundError:
        offsets = {}
    events = []
    now = int(datetime.datetime.now(datetime.timezone.utc).timestamp() * 1000)
    for name, line in read(offsets, files):
        if line:
            said = os.path.basename(os.path.dirname(os.path.dirname(name))) if label == "path" else label
            # AWS refuses what lies in the future, and the whole body with it.
            at = min(time_of(line, events[-1]["timestamp"] if events else now), now)
            events.append({"timestamp": at, "message": f"{said}: {line}"[:LONGEST]})
    with open(f"{offsets_file}.new", "w", encoding="utf-8") as file:
        json.dump(offsets, file)
    if events:
        last = max(event["timestamp"] for event in events)
        for event in events:
            event["timestamp"] = max(event["timestamp"], last - DAY_MS)
        events.sort(key=lambda event: event["timestamp"])
        json.dump({"logGroupName": group, "logStreamName": stream, "logEvents": events}, sys.stdout)


main(*sys.argv[1:])
