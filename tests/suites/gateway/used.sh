. /mnt/host/code/prelude.sh
lock > /dev/null
port=$(cat /mnt/host/code/port)
venv=$(cat /mnt/host/code/venv)
mlflow="$venv/bin/python"
real=$(echo /var/lib/longhorn/real/1/bin/python3.*[0-9])
for version in mlflow-2.13.1 mlflow-2.22.0 mlflow-3.0.1 mlflow-new; do
  expect 0 '' "${venv%/*}/$version/bin/python" /mnt/host/code/train.py "http://127.0.0.1:$port"
done
run=$(tail -n 1 /tmp/out)
# By the socket: the oldest and the newest, and a proxy that the job names is not asked.
for version in mlflow-2.13.1 mlflow-new; do
  expect 0 '' env http_proxy=http://127.0.0.1:9 "${venv%/*}/$version/bin/python" /mnt/host/code/by_socket.py
done
expect 0 '' "$mlflow" /mnt/host/code/denied.py "http://127.0.0.1:$port" "$run"

# Whoever is not of the locked job is told so, and on record.
expect 0 '403.*peer-not-locked' "$real" /mnt/host/code/asks.py "$port"
expect 0 '^200' $python /mnt/host/code/asks.py "$port"
socket=/run/longhorn/sock/mlflow
expect 0 '403.*peer-not-locked' "$real" /mnt/host/code/asks.py $socket
expect 0 '^200' $python /mnt/host/code/asks.py $socket

# The listening socket outlives a sidecar, and so does a connection's caller that asks again.
old=$(sidecar)
kill -9 "$old"
back() { [ -n "$(sidecar)" ] && [ "$(sidecar)" != "$old" ] && $longhorn status | grep -q '^state *locked'; }
until_true 10 back
expect 0 '^200' $python /mnt/host/code/asks.py "$port"
expect 0 '^200' $python /mnt/host/code/asks.py $socket

for log in /var/lib/longhorn/log/*; do
  $longhorn log show "$log" >> /tmp/shown
done
for rule in tag-owned not-permitted artifact-location source-foreign peer-not-locked; do
  grep request.refused /tmp/shown | grep -q "$rule" || fail "no record of $rule: $(grep request.refused /tmp/shown)"
done
! grep request.refused /tmp/shown | grep -q 'fraud 1' || fail "the record of a refusal names a model"
