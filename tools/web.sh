#!/bin/sh
# The studio's page: what `make web`, `make web-test` and `make web-types` do.
# usage: web.sh build | test | types
set -eu
cd "$(dirname "$0")/../web"

if ! command -v npm >/dev/null 2>&1 || ! node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null; then
    echo "The studio's page needs Node 20.19 or newer with npm; install it, or go without the page (make demo needs neither)." >&2
    exit 1
fi

# Installed once for each lock file.
stamp=node_modules/.installed
if ! cmp -s package-lock.json "$stamp" 2>/dev/null; then
    echo "Installing what the page is built with"
    npm ci --no-audit --no-fund --no-progress --loglevel=error
    cp package-lock.json "$stamp"
fi

types_are_current() {
    generated=$(mktemp)
    trap 'rm -f "$generated"' EXIT
    npx openapi-typescript openapi.json --output "$generated" --alphabetize --immutable >/dev/null 2>&1
    cmp -s "$generated" src/wire/schema.d.ts || { echo "web/src/wire/schema.d.ts is out of date; run make web-types." >&2; exit 1; }
}

case $1 in
build)
    npm run --silent build -- --logLevel warn
    ;;
types)
    npm run --silent api
    ;;
test)
    ! grep -q '"resolved"' package-lock.json || { echo "web/package-lock.json names registry hosts; install with the .npmrc of web." >&2; exit 1; }
    types_are_current
    npm run --silent types
    npm run --silent lint
    npm run --silent layers
    npm run --silent test
    ;;
*)
    echo "usage: web.sh build | test | types" >&2
    exit 2
    ;;
esac
