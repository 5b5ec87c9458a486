# A file system whose server does not answer, as a volume whose storage is away: whoever asks it waits, and neither `init` nor
# a launch nor `status`, `doctor` or `uninstall` asks it.
. /mnt/host/code/prelude.sh
mknod /dev/fuse c 10 229
servers=
for place in /mnt/hung /local_disk0/hung; do
  mkdir -p "$place"
  # Of the server before.
  rm -f /tmp/server
  $python /mnt/host/code/hung.py "$place" > /tmp/server 2>&1 &
  servers="$servers $!"
  until_true 10 grep -q mounted /tmp/server
  expect 137 '' timeout -s KILL 0.5 stat "$place"
done
expect 0 'locked (full)' timeout -s KILL 30 /mnt/host/bundle/longhorn init --settings /mnt/host/bundle/longhorn.toml
expect 0 '' timeout -s KILL 10 $python -c pass
expect 0 '^state *locked' timeout -s KILL 10 $longhorn status
expect 0 '' timeout -s KILL 60 $longhorn doctor
# Without its journal it looks for covers among all mounts.
mv /var/lib/longhorn/covers /var/lib/longhorn/covers.kept
expect 66 'reason: covers-unknown' timeout -s KILL 10 $longhorn uninstall
mv /var/lib/longhorn/covers.kept /var/lib/longhorn/covers
expect 0 '' timeout -s KILL 30 $longhorn uninstall
expect 137 '' timeout -s KILL 0.5 stat /mnt/hung
kill $servers
