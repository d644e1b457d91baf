#!/bin/sh
# Prints the Chromium to test the studio's page with: an installed one, or, as root on Debian, one installed here.
set -eu
find_one() {
    for name in chromium chromium-browser google-chrome-stable google-chrome; do
        command -v "$name" && return 0
    done
    return 1
}
find_one && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium" >&2
    apt-get update -qq >&2 || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1 || true
    find_one && exit 0
fi
echo "The journeys through the studio's page need Chromium; install it (on Debian: apt-get install chromium)." >&2
exit 1
