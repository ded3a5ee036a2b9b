# shellcheck shell=bash
# What the scripts share; they source it. For bash 3.2 and later.
set -euo pipefail

# shellcheck disable=SC2034 # the scripts use it
root=$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

have() { command -v "$1" >/dev/null 2>&1; }
note() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { local status=$1; shift; note "$*"; exit "$status"; }

# Homebrew's folders are not on the compiler's own paths on Apple silicon.
if [ "$(uname -s)" = Darwin ] && have brew; then
  CPATH=$(brew --prefix)/include${CPATH:+:$CPATH}
  LIBRARY_PATH=$(brew --prefix)/lib${LIBRARY_PATH:+:$LIBRARY_PATH}
  export CPATH LIBRARY_PATH
fi
