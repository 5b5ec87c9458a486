# The platform runs a copy of the script from elsewhere: the pinned place says where the bundle is. It may be gone afterwards.
. /mnt/host/code/bundle.sh
fresh
mkdir -p $elsewhere
copied=$elsewhere/1700000000_00_longhorn-init.sh
for place in /Volumes/platform/longhorn/bundle "/Workspace/Shared/long horn" /databricks/longhorn; do
  mkdir -p "$place"
  mount -t tmpfs bundle "$place"
  cp /mnt/host/bundle/* "$place"
  rm "$place/longhorn-init.sh"
  mount -o remount,ro "$place"
  sed "s|^BUNDLE=.*|BUNDLE='$place'|" $script > $copied
  locks "$place" "$SHELL_UNDER_TEST" $copied
  grep -q "\"script_sha256\":\"$(sum $copied)\"" /var/lib/longhorn/log/*/seg-* || fail "$place: the record names another script"
  # The way to the volume ends with the script that came over it.
  umount "$place" || fail "$place: something of ours still holds it"
  before=$(sidecar)
  kill -9 "$before"
  other() { [ -n "$(sidecar)" ] && [ "$(sidecar)" != "$before" ]; }
  until_true 10 other
  # Longer than a lease: it was renewed.
  sleep 4
  expect 0 'state *locked' $longhorn status
  expect 0 fraud-training $python -c 'import os; print(os.environ["LONGHORN_SCOPE"])'
  stops_there() { "$SHELL_UNDER_TEST" $copied; }
  says "$place is gone" 66 "the bundle has no longhorn in $place" stops_there
  expect 0 'state *locked' $longhorn status
  expect 0 '' "$SHELL_UNDER_TEST" $copied --remove
  unlock
done
