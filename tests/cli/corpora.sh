#!/bin/sh
# The recipes of corpora/: wrong usage, what is missing, and that a failure leaves nothing behind.
#   corpora.sh HARVEST
set -u
harvest=$(realpath "$1")
recipes=$(cd "$(dirname "$0")/../../corpora" && pwd)
work=$(mktemp -d) && cd "$work" || exit 2
trap 'rm -rf "$work"' EXIT
failures=0
expect() { # CODE PATTERN COMMAND...
    code=$1 pattern=$2
    shift 2
    "$@" > out 2> err < /dev/null
    got=$?
    if [ $got != "$code" ] || ! cat out err | grep -Eq -e "$pattern"; then
        echo "$*: exit code $got instead of $code, or nothing like $pattern:"
        cat out err
        failures=$((failures + 1))
    fi
    rm -f out err
}

expect 0 '^usage' "$recipes/debian" --help
expect 2 'a language is missing' "$recipes/debian"
expect 2 'a language is written as' "$recipes/debian" German
expect 2 'must be another one' "$recipes/debian" en
expect 2 'no such option' "$recipes/debian" de --wrong
expect 2 'needs a number' "$recipes/debian" de --held few
if command -v apt-get > /dev/null 2>&1; then
    expect 1 'is not there: build' "$recipes/debian" de --harvest "$work/none"
    mkdir full && touch full/mine
    expect 1 'no corpus of this recipe' "$recipes/debian" de --harvest "$harvest" --out full
    [ -f full/mine ] && rm -r full
fi

expect 2 'needed' "$harvest"
expect 1 'four columns' sh -c "echo lines | '$harvest' --pair en de --out ."
expect 1 'no such kind' sh -c "printf 'x\ty\tz\tw\n' | '$harvest' --pair en de --out ."
expect 1 'no pair of en and de' sh -c "'$harvest' --pair en de --out . < /dev/null"
[ -z "$(ls -A)" ] || { echo "left behind: $(ls -A)"; failures=$((failures + 1)); }
[ $failures = 0 ]
