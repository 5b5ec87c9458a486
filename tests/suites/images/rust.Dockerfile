# Debian with the places where a test lays this machine's toolchain and the sources of dependencies.
FROM localhost/longhorn-base
ENV PATH=/usr/local/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin CARGO_HOME=/usr/local/cargo CARGO_NET_OFFLINE=true
