. /mnt/host/code/prelude.sh
lock > /dev/null
expect 0 '' "$(cat /mnt/host/code/venv)/bin/python" /mnt/host/code/gone.py "http://127.0.0.1:$(cat /mnt/host/code/port)" "$(cat /mnt/host/code/direct)"
