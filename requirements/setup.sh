# Sourced by ./dauys and ./test: makes .venv from the locked, hashed requirements when they change.
# usage: ensure_venv FOLDER LOCKFILE...   (a lock file may be followed by =FLAGS for pip)
ensure_venv() {
  venv=$1; shift
  locks=$(for spec in "$@"; do printf '%s ' "${spec%%=*}"; done)
  # shellcheck disable=SC2086
  want=$( { cat $locks; "${PYTHON:-python3}" -c 'import sys; print(sys.version)'; pwd; } | cksum)
  if [ -x "$venv/bin/python" ] && [ "$(cat "$venv/.ready" 2>/dev/null)" = "$want" ]; then return 0; fi
  "${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "dauys: needs Python 3.11 or newer as python3 (or set PYTHON=/path/to/python3.11)" >&2; exit 2; }
  echo "dauys: setting up $venv (first use, about half a minute) ..." >&2
  rm -rf "$venv"
  "${PYTHON:-python3}" -m venv "$venv" || { echo "dauys: could not make $venv: install the venv module of your Python" >&2; exit 2; }
  for spec in "$@"; do
    lock=${spec%%=*}
    flags=$(case $spec in *=*) printf '%s' "${spec#*=}";; esac)
    # shellcheck disable=SC2086
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --require-hashes $flags -r "$lock" >&2 ||
      { echo "dauys: could not install $lock: check the network or the package index and run again" >&2; exit 2; }
  done
  echo "$PWD/src" > "$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/dauys.pth"
  printf '%s' "$want" > "$venv/.ready"
}
