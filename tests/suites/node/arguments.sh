# What a program is called and what it is given are its caller's business: the launcher hands them on byte for byte.
. /mnt/host/code/prelude.sh
lock > /dev/null
real=$(echo /var/lib/longhorn/real/1/bin/python3.*[0-9])
cat > /tmp/call.py <<'P'
import ctypes
import os
import sys

tell = "import sys; print(open('/proc/self/cmdline', 'rb').read().hex(), ascii(sys.orig_argv))"
names = {"own": b"a name of its own", "none": b"", "bytes": b"\xff\xfe/python", "login": b"-python"}
words = [names[sys.argv[2]], b"-c", tell.encode(), b"", b"a b", b"\xff\xfe\n", b"--", b"-c", b"longhorn", b"\xc3\xa9", b""]
# Not os.execv: it has no program without a name.
ctypes.CDLL(None).execv(os.fsencode(sys.argv[1]), (ctypes.c_char_p * (len(words) + 1))(*words, None))
P
for name in own none bytes login; do
  unlocked=$("$real" /tmp/call.py "$real" $name)
  locked=$("$real" /tmp/call.py $python $name)
  [ -n "$locked" ] || fail "$name: it says nothing"
  [ "$locked" = "$unlocked" ] || fail "$name: locked $locked, unlocked $unlocked"
done
printf %s "$locked" | grep -q '^2d707974686f6e00' || fail "the first argument is not what the caller wrote: $locked"
# With thousands of them, up to the kernel's own limits.
many='import sys; print(len(sys.argv), sum(map(len, sys.argv)))'
[ "$($python -c "$many" $(seq 20000))" = "20001 88896" ] || fail "of many arguments some are not there: $($python -c "$many" $(seq 20000))"
