# Sourced by ./dauys, ./test and tests/cluster/install.sh: makes a virtual environment from locked, hashed requirements.
# What is made lies under a name by the hash of what it was made from, and LINK (.venv) is a link to the newest. So a set-up that
# fails, is interrupted or comes twice at once takes nothing away, least of all under a running centre or station.
RUN_LOCKS="requirements/run.txt requirements/assets.txt"
# A lock file may be followed by =FLAGS for pip.
DEV_LOCKS="requirements/dev.txt requirements/assets.txt requirements/peers.txt=--ignore-requires-python"

# find_venv LINK LOCKFILE...   sets $venv, the folder made from exactly these; false where it is not made, or not to its end.
find_venv() {
  link=$1; shift
  locks=$(for spec in "$@"; do printf '%s ' "${spec%%=*}"; done)
  # shellcheck disable=SC2086
  want=$( { cat $locks; "${PYTHON:-python3}" -c 'import sys; print(sys.version)'; pwd -P; } | cksum)
  venv=$link
  [ ! -L "$link" ] && venv_ready && return  # a folder, of the time before there were links
  venv=$link-${want%% *}
  venv_ready
}
venv_ready() { [ -x "$venv/bin/python" ] && [ "$(cat "$venv/.ready" 2>/dev/null)" = "$want" ]; }

# ensure_venv LINK LOCKFILE...   as find_venv, and makes it where it is not there; false after another command made something
# meanwhile: look again.
ensure_venv() {
  if find_venv "$@"; then link_venv; return 0; fi
  "${PYTHON:-python3}" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
    echo "dauys: needs Python 3.11 or newer as python3 (or set PYTHON=/path/to/python3.11)" >&2; exit 2; }
  link=$1; shift
  # The lock is the open file's: pip has it, too, so one that outlives a killed command is waited for.
  { true >>"$link-lock"; } 2>/dev/null || {
    echo "dauys: cannot write into $PWD: set it up as the user whose folder it is" >&2; exit 2; }
  exec 9>>"$link-lock"
  "${PYTHON:-python3}" -c 'import fcntl, sys
try: fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("dauys: another command is setting up; waiting ...", file=sys.stderr, flush=True)
    fcntl.flock(9, fcntl.LOCK_EX)
    sys.exit(75)' || { waited=$?; exec 9>&-; [ "$waited" = 75 ] && return 1; exit 2; }
  venv_ready || make_venv "$@"
  link_venv
  exec 9>&-
}

make_venv() {
  echo "dauys: setting up $venv (first use, about half a minute) ..." >&2
  rm -rf "$venv"  # never finished, so nothing runs from it
  "${PYTHON:-python3}" -m venv "$venv" || { echo "dauys: could not make $venv: install the venv module of your Python" >&2; exit 2; }
  for spec in "$@"; do
    lock=${spec%%=*}
    flags=$(case $spec in *=*) printf '%s' "${spec#*=}";; esac)
    # shellcheck disable=SC2086
    "$venv/bin/python" -m pip install -qq --disable-pip-version-check --no-deps --require-hashes $flags -r "$lock" >&2 ||
      { echo "dauys: could not install $lock: check the network or the package index and run again" >&2; exit 2; }
  done
  { printf '%s\n' "$(pwd -P)/src" > "$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/dauys.pth" &&
    printf '%s' "$want" > "$venv/.ready"; } || { echo "dauys: could not finish $venv: look for room on the disk and run again" >&2; exit 2; }
  for old in "$link"-[0-9]*; do
    [ "$old" = "$venv" ] || echo "dauys: $old is of an earlier set-up: delete it when nothing runs from it any more" >&2
  done
}

link_venv() {
  if [ "$venv" = "$link" ] || [ "$(readlink "$link" 2>/dev/null)" = "$venv" ]; then return 0; fi
  [ -L "$link" ] || rmdir "$link" 2>/dev/null || :
  "${PYTHON:-python3}" -c 'import os, sys
link, venv, beside = sys.argv[1:]
try:
    os.symlink(venv, beside)
    os.replace(beside, link)
except OSError as why:
    if os.path.islink(beside): os.unlink(beside)
    before = os.path.isdir(link) and not os.path.islink(link)
    said = "is of an earlier set-up: delete it when nothing runs from it any more" if before else f"stays as it is: {why.strerror}"
    sys.exit(f"dauys: {link} {said} ({venv} is used instead)")' \
    "$link" "$venv" "$link-link.$$" || :
}
