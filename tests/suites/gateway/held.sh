. /mnt/host/code/prelude.sh
lock > /dev/null
mlflow="$(cat /mnt/host/code/venv)/bin/python"
expect 0 '' "$mlflow" /mnt/host/code/held.py "http://127.0.0.1:$(cat /mnt/host/code/port)" "$(cat /mnt/host/code/direct)"
for log in /var/lib/longhorn/log/*; do
  $longhorn log show "$log" >> /tmp/shown
done
for rule in run-ended artifact-registered model-whole; do
  [ "$(grep request.refused /tmp/shown | grep -c "$rule")" = 4 ] || fail "no record of $rule: $(grep request.refused /tmp/shown)"
done
