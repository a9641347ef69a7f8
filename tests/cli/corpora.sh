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
expect 2 'needs a value' "$recipes/debian" de --with
expect 2 'sources to add are gnome-help manpages$' "$recipes/debian" de --with manpages --with poems
expect 0 '^usage' "$recipes/examples" --help
expect 2 'no such example' "$recipes/examples" sentiment nonsense
expect 2 'needs a value' "$recipes/examples" --work
expect 1 'is not there: build' "$recipes/examples" tags --tulk "$work/none"
if command -v apt-get > /dev/null 2>&1; then
    expect 1 'is not there: build' "$recipes/debian" de --harvest "$work/none"
    mkdir full && touch full/mine
    expect 1 'no corpus of this recipe' "$recipes/debian" de --harvest "$harvest" --out full
    [ -f full/mine ] && rm -r full
fi

# Files of a few hundred pairs in every form that the recipes read.
awk 'BEGIN { split("red big old new hot wet", a); split("cat dog man car sun sea", n); split("sees has eats finds", v)
    for (i = 0; i < 400; i++) {
        x = a[i % 6 + 1] " " n[int(i / 6) % 6 + 1] " " v[int(i / 36) % 4 + 1] " " a[int(i / 144) % 6 + 1]
        print "the " x "." > "x.en"; print toupper(x) " & so." > "x.de"
    } }'
paste x.en x.de | sed 's/$/\tCC-BY/' > anki.txt
paste x.en x.de | awk -F '\t' '{ print NR "\t" $1 "\t" NR + 9 "\t" $2 }' > pairs.tsv
paste x.en x.de | awk -F '\t' 'BEGIN { print "<tmx><body>" } { gsub("&", "\\&amp;"); print "<tu><tuv xml:lang=\"en\"><seg>" $1 "</seg></tuv>\n<tuv xml:lang=\"de\"><seg>" $2 "</seg></tuv></tu>" } END { print "</body></tmx>" }' > x.tmx
mkdir m30k && for part in train val test_2016_flickr; do cp x.en m30k/$part.en; gzip -c x.de > m30k/$part.de.gz; done
same() { # FOLDER: holds the 400 pairs
    cat "$1/train.en" "$1/valid.en" "$1/test.en" | sort > got
    sort x.en | cmp - got || failures=$((failures + 1))
    cat "$1/train.de" "$1/valid.de" "$1/test.de" | sort > got
    sort x.de | cmp - got || failures=$((failures + 1))
    grep -q '^Licence' "$1/SOURCES" && grep -q 'train.de$' "$1/SOURCES" || { echo "$1: SOURCES"; failures=$((failures + 1)); }
    rm -f got
}
expect 0 '360 pairs to train on, 20 to validate and 20 to test on' "$recipes/tatoeba" anki.txt en de --out a --harvest "$harvest"
same a
cp -r a before
expect 0 '360 pairs' "$recipes/tatoeba" anki.txt en de --out a --harvest "$harvest"
diff -r a before || failures=$((failures + 1))
expect 0 '360 pairs' "$recipes/tatoeba" anki.txt de en --out b --harvest "$harvest"
same b
expect 0 '390 pairs' "$recipes/tatoeba" pairs.tsv en de --out c --held 5 --harvest "$harvest"
same c
expect 0 '360 pairs' "$recipes/opus" x.en x.de en de --out d --harvest "$harvest"
same d
expect 0 '360 pairs' "$recipes/opus" x.tmx en de --out e --harvest "$harvest"
same e
expect 0 '400 pairs to train on, 400' "$recipes/multi30k" m30k --out f
cmp f/test.de x.de || failures=$((failures + 1))
if command -v zip > /dev/null 2>&1 && command -v unzip > /dev/null 2>&1; then
    cp x.en OPUS.de-en.en && cp x.de OPUS.de-en.de && echo free > LICENSE
    zip -q moses.zip OPUS.de-en.en OPUS.de-en.de LICENSE && zip -q anki.zip anki.txt
    expect 0 '360 pairs' "$recipes/opus" moses.zip en de --out g --harvest "$harvest"
    same g
    [ "$(cat g/licences/LICENSE)" = free ] || failures=$((failures + 1))
    expect 0 '360 pairs' "$recipes/tatoeba" anki.zip en de --out h --harvest "$harvest"
    same h
    echo none > bad.zip
    expect 1 'is no zip' "$recipes/opus" bad.zip en de --out z --harvest "$harvest"
fi
expect 1 'no such file' "$recipes/tatoeba" none.tsv en de --out z --harvest "$harvest"
expect 1 'no such file' "$recipes/opus" none.tmx en de --out z --harvest "$harvest"
expect 1 'is neither' "$recipes/opus" anki.txt en de --out z --harvest "$harvest"
expect 1 'no pair of en and fr' "$recipes/opus" x.tmx en fr --out z --harvest "$harvest"
expect 1 'no corpus of a recipe' "$recipes/opus" x.tmx en de --out m30k --harvest "$harvest"
expect 1 'val.fr is missing' sh -c "cp m30k/train.en m30k/train.fr; '$recipes/multi30k' m30k fr --out z"
expect 2 'are needed' "$recipes/tatoeba" anki.txt en
expect 2 'is needed' "$recipes/multi30k"
expect 2 'two numbers' "$recipes/tatoeba" anki.txt en de --columns 1 --out z --harvest "$harvest"
left=$(ls -d z z.* ./*.?????? 2> /dev/null | grep -vE '^\./(x|anki|pairs|moses|bad)\.|OPUS')
[ -z "$left" ] || { echo "left behind: $left"; failures=$((failures + 1)); }
rm -rf ./*

expect 2 'needed' "$harvest"
expect 1 'four columns' sh -c "echo lines | '$harvest' --pair en de --out ."
expect 1 'no such kind' sh -c "printf 'x\ty\tz\tw\n' | '$harvest' --pair en de --out ."
expect 1 'no pair of en and de' sh -c "'$harvest' --pair en de --out . < /dev/null"
[ -z "$(ls -A)" ] || { echo "left behind: $(ls -A)"; failures=$((failures + 1)); }
[ $failures = 0 ]
