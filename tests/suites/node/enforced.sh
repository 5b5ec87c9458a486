# The record says what a launch enforced, and a launch that cannot enforce what the lock seals is none.
. /mnt/host/code/prelude.sh
lock > /dev/null
launches() { grep -rh '"event":"launch.reported"' /var/lib/longhorn/log; }
recorded() { launches | grep "$1" | grep -q "$2"; }
refused() { screen "launch-capabilities-stay" 80 setpriv --bounding-set=-setpcap --inh-caps=-setpcap "$@"; }
refused $python -c 'print("started")'
! grep -q started "$shown" || fail "it was started all the same"
expect 0 '' $python -c pass
until_true 5 recorded '"outcome":"locked"' '"full":true'
expect 0 '' $python -c 'import subprocess, sys; subprocess.run([sys.executable, "-c", "pass"], check=True)'
until_true 5 recorded '"outcome":"inherited"' '"full":true'
! recorded . '"full":false' || fail "an honest launch is not recorded as full"
# What a report does not claim is not believed of it, whatever the lock seals: one part at a time is left out.
expect 0 '' $python -c '
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for lacking in (1, 2, 4, 8):
    s.sendto(bytes([3, 1, 15 - lacking, 0, 1, 0, 0, 0] + [0] * 12), "/run/longhorn/sock/launch")
'
four() { [ "$(launches | grep '"outcome":"locked"' | grep -c '"full":false')" = 4 ]; }
until_true 5 four
