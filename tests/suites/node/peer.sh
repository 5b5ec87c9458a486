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
# A locked process that connected and ended: whoever has its socket by then is somebody else and hears nothing secret.
cat > /tmp/heir.py <<'P'
import os, socket, time
s = socket.socket(socket.AF_UNIX)
maker = os.fork()
if maker == 0:
    s.connect("/run/longhorn/sock/api")
    # Long enough to be accepted and looked at.
    time.sleep(0.2)
    os._exit(0)
os.waitpid(maker, 0)
s.sendall(b"GET /v1/context HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
data = b""
while chunk := s.recv(65536):
    data += chunk
print(data.decode())
P
expect 0 'peer-gone' $python /tmp/heir.py
! grep -q fraud-training /tmp/out || fail "a context was given to whoever has the socket: $(cat /tmp/out)"
