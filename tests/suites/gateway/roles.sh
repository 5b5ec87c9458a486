. /mnt/host/code/prelude.sh
lock > /dev/null
expect 0 '' "$(cat /mnt/host/code/venv)/bin/python" /mnt/host/code/roles.py "http://127.0.0.1:$(cat /mnt/host/code/port)" $(cat /mnt/host/code/seeded)
grep -E '^[a-z.]+ (done|denied)$' /tmp/out
