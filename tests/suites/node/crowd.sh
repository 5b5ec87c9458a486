# A job that takes every connection and keeps it silent: other launches and root outside are answered all the same.
. /mnt/host/code/prelude.sh
lock > /dev/null
cat > /local_disk0/ask.py <<'P'
import socket, sys, time
began = time.monotonic()
s = socket.socket(socket.AF_UNIX)
s.settimeout(5)
s.connect("/run/longhorn/sock/api")
s.sendall(f"GET {sys.argv[1]} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
data = b""
while chunk := s.recv(65536):
    data += chunk
took = time.monotonic() - began
print(data.decode(), "in time" if took < 1 else f"after {took} s")
P
$python /mnt/host/code/crowd.py &
crowd=$!
until_true 5 eval 'ls /local_disk0/crowded.*'
for round in 1 2 3 4 5; do
  expect 0 '"scope": "fraud-training"' $python /local_disk0/ask.py /v1/context
  grep -q 'in time$' /tmp/out || fail "a launch was not answered in time: $(cat /tmp/out)"
  expect 0 '"state":"locked".* in time$' $python /local_disk0/ask.py /v1/status
  expect 0 '^state *locked' timeout 1 $longhorn status
  expect 0 '^scope *fraud-training' timeout 1 $longhorn context
  kill -0 $crowd || fail "the crowd is gone: nothing was tested"
done
