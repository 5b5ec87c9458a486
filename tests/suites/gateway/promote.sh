. /mnt/host/code/prelude.sh
lock > /dev/null
expect 0 '' "$(cat /mnt/host/code/venv)/bin/python" /mnt/host/code/promote.py "http://127.0.0.1:$(cat /mnt/host/code/port)" "$(cat /mnt/host/code/direct)"
tail -n 1 /tmp/out
for log in /var/lib/longhorn/log/*; do
  $longhorn log show "$log" >> /tmp/shown
done
grep promotion.judged /tmp/shown | sed 's/ \+/ /g'
