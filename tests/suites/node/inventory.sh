# The record names what runs beside us, by digest; nothing among it makes a node wait, and no content of it is on record.
. /mnt/host/code/prelude.sh
# A file system whose server is gone.
mkdir /local_disk0/hung
mknod /dev/fuse c 10 229
exec 3<> /dev/fuse
mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 nobody /local_disk0/hung
exec 3>&-
cp /mnt/host/code/inventory.py /local_disk0/inventory.py
$python /local_disk0/inventory.py /local_disk0/hung > /local_disk0/expected.json &
planted() { [ -s /local_disk0/expected.json ]; }
until_true 10 planted
began=$(date +%s)
expect 0 'locked (full)' timeout 30 /mnt/host/bundle/longhorn init --settings /mnt/host/bundle/longhorn.toml
[ $(($(date +%s) - began)) -le 10 ] || fail "it took $(($(date +%s) - began)) s"
umount -l /local_disk0/hung
$longhorn uninstall
$python - << 'END'
import glob, json, sys

events = [json.loads(line) for path in glob.glob("/var/lib/longhorn/log/*/seg-*") for line in open(path)]
[inventory] = [event["ext"] for event in events if event.get("event") == "node.inventory"]
expected = json.load(open("/local_disk0/expected.json"))
missing = [(field, line) for field, lines in expected.items() for line in lines if line not in inventory[field]]
assert not missing, f"not in the record: {missing}\n{json.dumps(inventory, indent=1)}"
for field, lines in inventory.items():
    if field not in ("omitted", "listeners"):
        assert all(" sha256 " in line or "not read: " in line for line in lines), (field, lines)
assert any("large" in line for line in expected["processes"]) and inventory["omitted"] >= 2, inventory["omitted"]
assert not any(line.startswith("/usr/lib/systemd/system/packaged.service") for line in inventory["units"]), "pulled in by nothing"
[started] = [event["ext"] for event in events if event.get("event") == "log.started"]
# A planted unit made this node look like one that systemd manages: it was asked in vain, and the record says so.
assert started["processes"] == "plain: systemd did not make a scope", started["processes"]
END
! grep -r s3cret /var/lib/longhorn/log || fail "content of a file or an argument is on record"
