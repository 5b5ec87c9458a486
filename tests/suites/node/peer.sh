. /mnt/host/code/prelude.sh
lock > /dev/null
cat > /tmp/ask.py <<'P'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect("/run/longhorn/sock/api")
s.sendall(f"{sys.argv[2] if len(sys.argv) > 2 else 'GET'} {sys.argv[1]} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
data = b""
while chunk := s.recv(65536):
    data += chunk
print(data.decode())
P
real=$(echo /var/lib/longhorn/real/1/bin/python3.*[0-9])
expect 0 'peer-not-locked' "$real" /tmp/ask.py /v1/context
expect 0 '"scope": "fraud-training"' $python /tmp/ask.py /v1/context
expect 0 '"state":"locked"' "$real" /tmp/ask.py /v1/status
expect 0 '404' "$real" /tmp/ask.py /v2
expect 0 '405' "$real" /tmp/ask.py /v1/status POST
