#!/bin/sh
# scripts/evaluate: translates and scores in one go.   evaluate.sh TULK
set -u
tulk=$(realpath "$1") || exit 2
script=$(cd "$(dirname "$0")/../.." && pwd)/scripts/evaluate
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
LC_ALL=C OMP_WAIT_POLICY=passive
export LC_ALL OMP_WAIT_POLICY
failures=0

# check WHAT COMMAND...: the command must succeed.
check() {
    what=$1
    shift
    "$@" || { echo "failed: $what" && failures=$((failures + 1)); }
}
# code N COMMAND...: the command must end with N, and say one sentence of the script's first.
code() {
    want=$1
    shift
    "$@" > out 2> err
    got=$?
    check "exit $want, not $got, of $*" [ "$got" = "$want" ]
    check "no output of $*" [ ! -s out ]
    check "a sentence of $*: $(head -n 1 err)" grep -q '^evaluate: ' err
}

awk 'BEGIN { split("red big old new hot wet", a); split("cat dog man car sun sea", n); for (i = 0; i < 300; i++) {
    x = a[i % 6 + 1]; y = n[int(i / 6) % 6 + 1]; w = n[i % 5 + 1]; print x, y, w > "s"; print toupper(w), toupper(y), toupper(x) > "t" } }'
"$tulk" train -q -t s t --valid s t -m "a model.tulk" --d-model 32 --d-ff 64 --n-heads 2 --enc-layers 1 --dec-layers 1 \
    --vocab-size 290 --batch-tokens 300 --lr 0.01 --warmup 50 --updates 150 --threads 1 || exit 1
head -n 20 s > "it's in"
head -n 20 t > ref

score='[0-9.]+ BLEU \(nrefs:1\|case:mixed\|eff:no\|tok:13a\|smooth:exp\|version:[^ ]*\), [0-9.]+ chrF2 \(nrefs:1\|[^ ]*\)'
"$script" "a model.tulk" "it's in" ref --tulk "$tulk" --beam 2 --threads 1 > out 2> err || { cat err; exit 1; }
check "the line: $(cat out)" grep -Eq "^$score, 20 sentences, tulk [0-9.]+$" out
check "one line" [ "$(wc -l < out)" = 1 ]
check "the speed" grep -q '^20 sentences, [0-9]* pieces in at most [0-9]* s' err

# The line tells what tulk eval does, of the translation that is kept.
"$script" "a model.tulk" "it's in" ref --tulk "$tulk" -o "kept $$" --beam 1 -q -- -w 3 > out 2> /dev/null
"$tulk" translate -q -m "a model.tulk" -i "it's in" --beam 1 | cmp - "kept $$" || failures=$((failures + 1))
bleu=$("$tulk" eval ref -i "kept $$" -b -w 3)
check "BLEU is that of tulk eval, $bleu: $(cat out)" grep -q "^$bleu BLEU " out
"$script" "a model.tulk" s t --tulk "$tulk" -q -- -m chrf -lc 2> /dev/null > out
check "options of eval: $(cat out)" grep -Eq '^[0-9.]+ chrF2 \(' out
"$script" "a model.tulk" "it's in" ref t20 --tulk "$tulk" > out 2> err && check "a missing second reference" false
head -n 20 t > t20
"$script" "a model.tulk" "it's in" ref t20 --tulk "$tulk" -q > out 2> /dev/null
check "two references: $(cat out)" grep -q 'nrefs:2' out
check "options of eval stay apart" "$script" "a model.tulk" "it's in" ref --tulk "$tulk" -q -- --confidence > out 2> err
check "an interval: $(cat out)" grep -Eq '^[0-9.]+ ± [0-9.]+ BLEU \(nrefs:1\|bs:1000' out

code 2 "$script"
code 2 "$script" model
code 2 "$script" --beam 2 "a model.tulk" s t
code 2 "$script" "a model.tulk" s t --tulk
code 2 "$script" "a model.tulk" s t -i other
code 1 "$script" missing.tulk s t
code 1 "$script" "a model.tulk" s missing
code 1 "$script" "a model.tulk" s t --tulk ./missing
"$script" "a model.tulk" s ref --tulk "$tulk" > out 2> err
check "unequal files: exit 1" [ $? = 1 ]
check "unequal files: no line" [ ! -s out ]
"$script" s s t --tulk "$tulk" > out 2> err
check "no model: exit 1" [ $? = 1 ]
check "--help" sh -c '"$0" --help | grep -q ^usage' "$script"
[ "$failures" = 0 ] && echo "evaluate: all good"
[ "$failures" = 0 ]
