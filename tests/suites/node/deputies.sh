# Sockets of services under /run are out of a job's sight: those of today, those that are replaced, and those of tomorrow.
. /mnt/host/code/prelude.sh
cp "$(readlink -f $python)" /tmp/unlocked
unlocked() { PYTHONHOME=/usr /tmp/unlocked "$@"; }
mkdir /run/service
unlocked /mnt/host/code/deputy.py serve /run/one.sock /run/service/two.sock &
first=$!
until_true 5 unlocked /mnt/host/code/deputy.py ask /run/one.sock /run/service/two.sock
lock > /dev/null
expect 1 'no way to /run/one.sock' $python /mnt/host/code/deputy.py ask /run/one.sock
expect 1 'no way to /run/service/two.sock' $python /mnt/host/code/deputy.py ask /run/service/two.sock
kill $first
rm -r /run/service
mkdir /run/service
unlocked /mnt/host/code/deputy.py serve /run/one.sock /run/service/two.sock /run/late.sock &
until_true 5 unlocked /mnt/host/code/deputy.py ask /run/one.sock /run/service/two.sock /run/late.sock
for socket in /run/one.sock /run/service/two.sock /run/late.sock; do
  expect 1 "no way to $socket" $python /mnt/host/code/deputy.py ask $socket
done
expect 0 'pathname-sockets-outside-run' $longhorn status
kill $!
