#!/bin/sh
# Track the sample clip, or the clip named by DEMO_VIDEO with the prompts in DEMO_PROMPT (several separated by ";").
# usage: demo.sh MASKLET_COMMAND
set -eu
masklet=$1

if [ -z "${DEMO_VIDEO:-}" ]; then
    if [ -n "${DEMO_PROMPT:-}" ]; then
        echo 'PROMPT says what to follow in a clip of yours; name the clip too: make demo VIDEO=clip.mp4 PROMPT="1@0: +320,240".' >&2
        exit 2
    fi
    out=${DEMO_OUT:-demo/cup_shuffle}
    set -- samples/cup_shuffle/clip.mp4 --prompts samples/cup_shuffle/prompts.json --policy rivals
else
    if [ -z "${DEMO_PROMPT:-}" ]; then
        echo 'VIDEO needs PROMPT, the object to follow (object 1, on frame 0, a click at x 320, y 240): PROMPT="1@0: +320,240".' >&2
        exit 2
    fi
    name=$(basename -- "$DEMO_VIDEO")
    out=${DEMO_OUT:-demo/${name%.*}}
    case $DEMO_VIDEO in -*) DEMO_VIDEO=./$DEMO_VIDEO ;; esac
    set -- "$DEMO_VIDEO"
    set -f
    IFS=';'
    for prompt in $DEMO_PROMPT; do
        prompt=$(printf '%s' "$prompt" | sed 's/^[[:space:]]*//; s/[[:space:]]*$//')
        [ -z "$prompt" ] || set -- "$@" --prompt "$prompt"
    done
fi

mkdir -p -- "$out"
"$masklet" track "$@" --out "$out" --overlay "$out/overlay.mp4"
echo "Look at $out/overlay.mp4; the masks lie beside it."
