#!/usr/bin/env bash
# Gets what the cluster tests need into .venv-cluster: Patroni from the locked requirements, etcd out of Debian's package
# `etcd-server` (unpacked, not installed: no service is started). Never fails: what is missing is said here, and by the tests.
cd -- "$(dirname -- "$0")/../.." || exit 0
. ./requirements/setup.sh
skipped() { echo "test: $1: the cluster tests will be skipped and say so"; exit 0; }

# PostgreSQL refuses root, so for root the servers run under another account: its Python must not lie in root's own folder.
if [ "$(id -u)" = 0 ]; then
  others=(setpriv --reuid=65534 --regid=65534 --clear-groups)
  for PYTHON in "${PYTHON:-python3}" /usr/bin/python3; do "${others[@]}" "$PYTHON" -c 'import ensurepip' 2>/dev/null && break; done
fi
(until ensure_venv .venv-cluster requirements/cluster.txt; do :; done) || skipped "Patroni could not be installed"
command -v etcd >/dev/null || [ -x .venv-cluster/debian/usr/bin/etcd ] && exit 0
command -v apt-get >/dev/null || skipped "there is no etcd, and no apt-get to get it with"
echo "test: getting etcd ..."
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$work" || exit 0
get() { apt-get download -qq etcd-server >/dev/null 2>&1; }
{ get || { apt-get update -qq >/dev/null 2>&1 && get; }; } &&
  dpkg -x etcd-server_*.deb "$work/debian" && { mv "$work/debian" "$here/.venv-cluster/" || [ -x "$here/.venv-cluster/debian/usr/bin/etcd" ]; } ||
  skipped "Debian's package etcd-server could not be got"
