#!/bin/sh
# Print the first interpreter of the usual names that runs and is Python 3.10 or newer; nothing when there is none.
for name in python3 python3.13 python3.12 python3.11 python3.10 python; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; then
        echo "$name"
        exit 0
    fi
done
exit 0
