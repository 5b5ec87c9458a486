. /mnt/host/code/prelude.sh
lock > /dev/null
port=$(cat /mnt/host/code/port)
ask() { expect 0 "$1" $python /mnt/host/code/asks.py "$port"; }
# step NAME: the test does something at the workspace meanwhile, and says so.
step() {
  touch "/mnt/host/code/$1"
  until_true 30 test -e "/mnt/host/code/$1.done"
}
ask '^200'
# Tokens of three seconds: another one serves by then.
sleep 4
ask '^200'
step long
sleep 4
ask '^200'
# What was taken back is thrown away, and the caller does not notice.
step taken-back
sleep 6
ask '^200'
# No login: one sentence, and the operator sees it, too.
step down
sleep 6
ask '^503 '
ask '^503 .*longhorn: the workspace does not let the gateway in'
$longhorn status | grep -q registry-login-failed || fail "status does not tell of it: $($longhorn status)"
step up
sleep 6
ask '^200'
for log in /var/lib/longhorn/log/*; do
  $longhorn log show "$log" >> /tmp/shown
done
! grep -q simulated-access-token /tmp/shown || fail "the record holds a token"
