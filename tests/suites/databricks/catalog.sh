. /mnt/host/code/prelude.sh
lock > /dev/null
job="$(cat /mnt/host/code/venvs)/mlflow-new/bin/python"
expect 0 '^6$' "$job" /mnt/host/code/catalog.py
touch /mnt/host/code/changed
until_true 30 test -e /mnt/host/code/changed.done
expect 0 '' "$job" /mnt/host/code/catalog.py 1
for log in /var/lib/longhorn/log/*; do
  $longhorn log show "$log" >> /tmp/shown
done
grep promotion.judged /tmp/shown | sed 's/ \+/ /g'
