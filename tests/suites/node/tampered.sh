. /mnt/host/code/prelude.sh
lock > /dev/null
cp -p /run/longhorn/lock /tmp/lock
cut() { head -c "$1" /tmp/lock > /run/longhorn/lock.x; chmod 444 /run/longhorn/lock.x; mv -f /run/longhorn/lock.x /run/longhorn/lock; }
cut 100
expect 82 'reason: lock-damaged' $python -c pass
cut 0
expect 82 'reason: lock-damaged' $python -c pass
# Byte 500 lies in the receipt, whose signature differs from run to run: X stands there already once in a while.
byte=X
[ "$(dd if=/tmp/lock bs=1 skip=500 count=1 2> /dev/null | tr '\0' .)" != X ] || byte=Y
cp /tmp/lock /run/longhorn/lock.x && chmod 444 /run/longhorn/lock.x && printf "$byte" | dd of=/run/longhorn/lock.x bs=1 seek=500 conv=notrunc 2> /dev/null
mv -f /run/longhorn/lock.x /run/longhorn/lock
expect 82 'reason: lock-damaged' $python -c pass
cp -p /tmp/lock /run/longhorn/lock && chmod 644 /run/longhorn/lock
expect 82 'reason: lock-foreign' $python -c pass
rm -f /run/longhorn/lock
expect 82 'reason: lock-missing' $python -c pass
cp -p /tmp/lock /run/longhorn/lock
expect 0 '' $python -c pass
head -c 32 /run/longhorn/lease > /tmp/lease
mv -f /run/longhorn/lease /run/longhorn/lease.kept
cp /tmp/lease /run/longhorn/lease
expect 81 'the lease file is damaged' $python -c pass
rm /run/longhorn/lease
expect 81 'reason: lease-ended' $python -c pass
