. /mnt/host/code/prelude.sh
lock > /dev/null
venvs=$(cat /mnt/host/code/venvs)
# Everything else is the policy's: where the workspace is, and that MLflow speaks to it.
for version in mlflow-2.22.0 mlflow-3.0.1 mlflow-new; do
  expect 0 '' "$venvs/$version/bin/python" /mnt/host/code/train.py
  tail -n 1 /tmp/out
done
run=$(tail -n 1 /tmp/out)
expect 0 '' "$venvs/mlflow-new/bin/python" /mnt/host/code/denied.py "$run"
for log in /var/lib/longhorn/log/*; do
  $longhorn log show "$log" >> /tmp/shown
done
for rule in tag-owned not-permitted endpoint-unknown; do
  grep request.refused /tmp/shown | grep -q "$rule" || fail "no record of $rule: $(grep request.refused /tmp/shown)"
done
! grep -q simulated-access-token /tmp/shown || fail "the record holds a token"
