. /mnt/host/code/prelude.sh
lock > /dev/null
mlflow="$(cat /mnt/host/code/venv)/bin/python"
read -r foreign_run foreign_model < /mnt/host/code/foreign
expect 0 '' "$mlflow" /mnt/host/code/sealed.py "http://127.0.0.1:$(cat /mnt/host/code/port)" "$foreign_run" "$foreign_model"
tail -n 1 /tmp/out
for log in /var/lib/longhorn/log/*; do
  $longhorn log show "$log" >> /tmp/shown
done
for statement in run_binding run_seal model_binding model_seal version_binding; do
  grep statement.signed /tmp/shown | grep -q "longhorn.$statement" || fail "no record of $statement: $(cat /tmp/shown)"
done
