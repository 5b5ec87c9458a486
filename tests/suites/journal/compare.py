"""Compares the records of a log with what a journal holds of it: compare.py LOG-DIRECTORY JOURNAL.json"""
import hashlib
import json
import pathlib
import sys

log = pathlib.Path(sys.argv[1])
lines = [line for file in sorted(log.glob("seg-*")) for line in file.read_bytes().splitlines()]
records = {}
for line in lines:
    record = json.loads(line)
    # What the log says of itself is in no journal.
    if "seq" in record and record["event"] not in ("key.rotate", "log.gap"):
        records[record["seq"]] = (record["event"], hashlib.sha256(b"\0" + line).hexdigest())
mirrored = {}
for line in open(sys.argv[2]):
    entry = json.loads(line)
    if entry["LONGHORN_LOG"] != log.name:
        continue
    seq = int(entry["LONGHORN_SEQ"])
    assert seq not in mirrored, f"record {seq} is there twice"
    mirrored[seq] = (entry["LONGHORN_EVENT"], entry["LONGHORN_LEAF"])
    assert entry["MESSAGE"] == f"{entry['LONGHORN_EVENT']} is record {seq}", entry
    assert entry["SYSLOG_IDENTIFIER"] == "longhorn" and entry["_UID"] == "64222" and entry["PRIORITY"] in ("5", "6"), entry
assert mirrored == records, (set(records.items()) ^ set(mirrored.items()))
print("mirrored", len(mirrored), "of", len(records))
