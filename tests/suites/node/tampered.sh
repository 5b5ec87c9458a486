. /mnt/host/code/prelude.sh
lock > /dev/null
cp -p /run/longhorn/lock /tmp/lock
cp -p /run/longhorn/lease /tmp/lease
# Puts bytes into the place of a file, with its owner and mode.
swap() { cp /tmp/bytes "$1.x" && chmod 444 "$1.x" && mv -f "$1.x" "$1"; }
edited() { cp "$1" /tmp/bytes && printf '%b' "$3" | dd of=/tmp/bytes bs=1 seek="$2" conv=notrunc 2> /dev/null; }
head -c 100 /tmp/lock > /tmp/bytes
swap /run/longhorn/lock
screen lock-truncated 82 $python -c pass
: > /tmp/bytes
swap /run/longhorn/lock
screen lock-empty 82 $python -c pass
# Byte 500 lies in the receipt, whose signature differs from run to run: X stands there already once in a while.
byte=X
[ "$(dd if=/tmp/lock bs=1 skip=500 count=1 2> /dev/null | tr '\0' .)" != X ] || byte=Y
edited /tmp/lock 500 $byte
swap /run/longhorn/lock
screen lock-edited 82 $python -c pass
head -c 5000000 /dev/zero > /tmp/bytes
swap /run/longhorn/lock
screen lock-oversized 82 $python -c pass
cp -p /tmp/lock /run/longhorn/lock && chmod 644 /run/longhorn/lock
screen lock-writable 82 $python -c pass
chmod 444 /run/longhorn/lock && chown 1 /run/longhorn/lock
screen lock-of-another-owner 82 $python -c pass
rm -f /run/longhorn/lock
screen lock-missing 82 $python -c pass
cp -p /tmp/lock /run/longhorn/lock
expect 0 '' $python -c pass
# The keeper goes on with the file that it mapped: what lies at the path is somebody else's.
head -c 32 /tmp/lease > /tmp/bytes
swap /run/longhorn/lease
screen lease-truncated 81 $python -c pass
edited /tmp/lease 0 X
swap /run/longhorn/lease
screen lease-edited 81 $python -c pass
edited /tmp/lease 16 '\0377\0377'
swap /run/longhorn/lease
screen lease-of-another-boot 81 $python -c pass
edited /tmp/lease 8 '\01\0\0\0\0\0\0\0'
swap /run/longhorn/lease
screen lease-ended 81 $python -c pass
rm /run/longhorn/lease
screen lease-missing 81 $python -c pass
