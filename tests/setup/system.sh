#!/bin/bash
# Sees to it that the machine has what is asked for beside Rust:
#
#     system.sh [compiler] [python] [browser]
#
# What is missing is installed where that can be done (Debian's package manager, as root), and named otherwise.
set -euo pipefail

have() { command -v "$1" >/dev/null; }

missing=()
for wanted in "$@"; do
  case "$wanted" in
    compiler) { have cc && have c++; } || missing+=(build-essential) ;;
    python) python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv) ;;
    browser)
      have node || missing+=(nodejs)
      have npm || missing+=(npm)
      [ -n "${CHROMIUM:-}" ] || have chromium || have chromium-browser || have google-chrome || missing+=(chromium)
      ;;
    *) echo "system.sh: \`$wanted\` is not one of compiler, python, browser" >&2; exit 2 ;;
  esac
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ] || ! have apt-get; then
  echo "system.sh: please install: ${missing[*]}" >&2
  exit 1
fi

install_missing() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq update &&
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

echo "--- installing ${missing[*]}"
# A mirror that is being updated refuses for a moment: one more try.
install_missing || { sleep 10; install_missing; }
