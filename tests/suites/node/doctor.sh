# `longhorn doctor` says what a node allows, changes nothing, and refuses a policy whose floor is not met here.
. /mnt/host/code/prelude.sh
binary=/mnt/host/bundle/longhorn
# A network of its own: the cloud's metadata service is answered here by nobody, and then by us.
alone="unshare --net $binary doctor"
expect 0 '^runtime       Databricks         16.4$' $alone
grep -q '^kernel        Landlock           ABI [0-9]' /tmp/out || fail "no Landlock: $(cat /tmp/out)"
grep -q '^lock          strength           full$' /tmp/out || fail "not full: $(cat /tmp/out)"
grep -Eq '^runtime       clock              20[0-9-]*T[0-9:.]*Z, (some|no)body keeps it right$' /tmp/out || fail "no clock: $(cat /tmp/out)"
grep -q '^preset databricks-16.4: floor met$' /tmp/out || fail "no floor: $(cat /tmp/out)"
grep -q '^  not seen here /databricks/kernel-connections (GUESS)$' /tmp/out || fail "it is not here: $(cat /tmp/out)"
! grep -q databricks-17.3 /tmp/out || fail "another runtime's preset"
grep -q '^network       metadata service   Network .*(os error 101)$' /tmp/out || fail "what is not there is reachable: $(cat /tmp/out)"
grep -q "^interpreters  found              $(readlink -f $python)$" /tmp/out || fail "the interpreter is not found: $(cat /tmp/out)"
cat > /tmp/metadata.sh <<'S'
ip link set lo up
ip address add 169.254.169.254/32 dev lo
/usr/bin/python3 -m http.server --bind 169.254.169.254 80 > /dev/null 2>&1 &
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  "$1" doctor > /tmp/reached
  grep -q '^network       metadata service   reachable' /tmp/reached && break
  sleep 0.25
done
kill $!
S
unshare --net sh /tmp/metadata.sh "$binary"
grep -q '^network       metadata service   reachable from here, and so from every job$' /tmp/reached || fail "it is there: $(cat /tmp/reached)"
expect 0 '' $alone --json --policy /mnt/host/bundle/policy.toml
/usr/bin/python3 - <<'P'
import json
found = json.load(open("/tmp/out"))
assert found["strength"] == "full" and "network" in found["open"], found
assert [one["below_floor"] for one in found["environments"]] == [[]], found
assert {one["area"] for one in found["findings"]} == {"kernel", "container", "runtime", "network", "interpreters"}, found
P
weak="setpriv --bounding-set=-sys_admin,-setpcap --inh-caps=-sys_admin,-setpcap"
expect 80 'REFUSED: mount-namespace-unavailable, capabilities-cannot-be-cut$' unshare --net $weak $binary doctor --policy /mnt/host/bundle/policy.toml
grep -q '^record: none   reason: mount-namespace-unavailable   exit: 80$' /tmp/out || fail "no screen: $(cat /tmp/out)"
grep -q '^lock          strength           degraded$' /tmp/out || fail "not degraded: $(cat /tmp/out)"
expect 0 '' unshare --net $weak $binary doctor
for left in /run/longhorn /var/lib/longhorn /etc/longhorn; do
    [ ! -e "$left" ] || fail "it left $left"
done
