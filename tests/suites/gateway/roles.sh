. /mnt/host/code/prelude.sh
lock > /dev/null
read -r experiment run < /mnt/host/code/seeded
expect 0 '' "$(cat /mnt/host/code/venv)/bin/python" /mnt/host/code/roles.py "http://127.0.0.1:$(cat /mnt/host/code/port)" "$experiment" "$run"
grep -E '^[a-z.]+ (done|denied)$' /tmp/out
