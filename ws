#!/usr/bin/env bash
# Finds a Python this project runs on and hands over to tools/ws.py: see `./ws --help`.
set -u
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
supported='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))'

# GENSIM2_PYTHON overrules the search. Where ROS 2 is sourced its Python is the system's.
candidates=()
if [ -n "${GENSIM2_PYTHON:-}" ]; then
  candidates+=("$GENSIM2_PYTHON")
else
  [ -n "${ROS_DISTRO:-}" ] && [ -z "${GENSIM2_WORKSPACE:-}" ] && candidates+=(/usr/bin/python3)
  candidates+=("$root/.venv/bin/python" python3 python3.11 python3.12)
  candidates+=("${PYENV_ROOT:-${HOME:-/root}/.pyenv}"/versions/3.1[12].*/bin/python3)
fi

for candidate in "${candidates[@]}"; do
  # A pyenv shim exists for versions that are not selected too: only running it tells.
  if command -v "$candidate" >/dev/null 2>&1 && "$candidate" -E -s -c "$supported" 2>/dev/null; then
    exec "$candidate" -E -s "$root/tools/ws.py" "$@"
  fi
done

echo "ws: no Python 3.11 or 3.12 found (tried: ${candidates[*]})." >&2
echo "    On Debian 12: sudo apt-get install python3 python3-venv python3-dev" >&2
echo "    On Ubuntu 22.04: sudo apt-get install python3.11 python3.11-venv python3.11-dev" >&2
echo "    Elsewhere install one, or name one: GENSIM2_PYTHON=/path/to/python3.11 ./ws ..." >&2
exit 1
