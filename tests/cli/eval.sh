#!/bin/sh
# tulk eval on the command line: what it prints where, and how it ends.   usage: eval.sh TULK
tulk=$(realpath "$1") || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset SACREBLEU_FORMAT
failures=0

# check NAME EXIT STDOUT STDERR WORD...: runs `tulk eval WORD...` with stdin from the file `in`. STDOUT must be
# equal, STDERR is a part of what must be said ("" = nothing at all).
check() {
    name=$1 code=$2 out=$3 err=$4
    shift 4
    "$tulk" eval "$@" <in >got.out 2>got.err
    got=$?
    problem=
    [ $got -eq "$code" ] || problem="exit $got, expected $code"
    [ "$(cat got.out)" = "$out" ] || problem="$problem; stdout: $(cat got.out)"
    if [ -z "$err" ]; then
        [ -s got.err ] && problem="$problem; stderr: $(cat got.err)"
    else
        grep -qF -- "$err" got.err || problem="$problem; stderr: $(cat got.err)"
        [ "$code" -eq 0 ] || [ "$(wc -l <got.err)" -eq 1 ] || problem="$problem; more than one sentence"
    fi
    [ -z "$problem" ] && return
    echo "FAIL $name: $problem"
    failures=$((failures + 1))
}

version=$("$tulk" --version | sed 's/^tulk \([0-9]*\.[0-9]*\).*/2.6.0+tulk.\1/')
printf 'The cat sat on the mat.\nIt costs 5,000 euros today.\n' >ref
printf 'The cat is on a mat.\nNow it costs 5000 euros now.\n' >ref2
printf 'the cat sat on a mat.\nIt costs 5,000 euros now.\n' >hyp
printf 'one\ntwo\nthree\n' >three
printf 'same\n\377\376\n' >invalid
printf 'same\na\000b\n' >nul
: >empty
gzip -c hyp >hyp.gz
printf 'not compressed\n' >false.gz
cp hyp in

sig="nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:$version"
verbose="84.6/54.5/33.3/14.3 (BP = 1.000 ratio = 1.000 hyp_len = 13 ref_len = 13)"
json="{
 \"name\": \"BLEU\",
 \"score\": 38.5,
 \"signature\": \"$sig\",
 \"verbose_score\": \"$verbose\",
 \"nrefs\": \"1\",
 \"case\": \"mixed\",
 \"eff\": \"no\",
 \"tok\": \"13a\",
 \"smooth\": \"exp\",
 \"version\": \"$version\"
}"
text="BLEU|$sig = 38.5 $verbose"

check "default is JSON" 0 "$json" "" ref -i hyp
check "translations on standard input" 0 "$json" "" ref
check "- is standard input" 0 "$json" "" ref -i -
check "a reference on standard input" 0 38.5 "" - -i ref -b -sh
check "gzip" 0 "$json" "" ref -i hyp.gz
check "text" 0 "$text" "" ref -i hyp -f text
check "--format=text" 0 "$text" "" ref --input=hyp --format=text
check "short signature" 0 "BLEU|#:1|c:mixed|e:no|tok:13a|s:exp|v:$version = 38.5 $verbose" "" ref -i hyp -f text -sh
check "JSON has no short signature" 0 "$json" "" ref -i hyp --short
check "number alone" 0 38.5 "" ref -i hyp -b
check "number alone, many digits" 0 38.50322887 "" ref -i hyp -b -w 8
check "metric by name" 0 38.5 "" ref -i hyp -m bleu -b
check "lower case" 0 51.14 "" ref -i hyp -lc -b -w 2
check "tokenised text" 0 44.43 "" ref -i hyp -tok none -b -w 2
check "two references" 0 64.51 "" ref ref2 -i hyp -b -w 2
check "order of n-grams" 0 67.94 "" ref -i hyp --max-ngram-order 2 -b -w 2
check "smoothing" 0 0.00 "" three -i three -s floor -sv 0.01 -b -w 2
check "smoothing with a value" 0 47.13 "" ref -i hyp --smooth-method add-k --smooth-value 1 -b -w 2
check "unused smoothing value" 0 38.5 "--smooth-value is not used" ref -i hyp -sv 1 -b
check "threads" 0 38.5 "" ref -i hyp -b --threads 3 --seed 5
check "the last flag wins" 0 38.5 "" ref -i hyp -b -w 5 -w 1

SACREBLEU_FORMAT=text
export SACREBLEU_FORMAT
check "format from the environment" 0 "$text" "" ref -i hyp -f json
unset SACREBLEU_FORMAT

printf '# a comment\nformat = text\nwidth = 3   # another\nlowercase = true\nd-model = 64\n' >conf
check "config file" 0 "BLEU|nrefs:1|case:lc|eff:no|tok:13a|smooth:exp|version:$version = 51.1 84.6/63.6/44.4/28.6 (BP = 1.000 ratio = 1.000 hyp_len = 13 ref_len = 13)" "" ref -i hyp --config conf -w 1
printf 'widht = 3\n' >conf
check "config file: unknown key" 2 "" "conf:1: unknown option widht, did you mean width?" ref -i hyp --config conf
printf '\nwidth = x\n' >conf
check "config file: bad value" 2 "" "conf:2: width: x is not a whole number" ref -i hyp --config conf
printf 'width\n' >conf
check "config file: no value" 2 "" "conf:1: expected" ref -i hyp --config conf
printf 'format = json\nwidth = 3\nscore-only = true\nwidth = 2\n' >conf
check "config file: the last of equal keys" 0 38.50 "" ref -i hyp --config conf
check "config file: the command line wins" 0 39 "" ref -i hyp --config conf -w 0
check "hexadecimal" 2 "" "-w: 0x2 is not a whole number" ref -i hyp -w 0x2
check "exponent" 2 "" "--max-ngram-order: 1e1 is not a whole number" ref -i hyp --max-ngram-order 1e1
check "config file: missing" 2 "" "gone: no such file" ref -i hyp --config gone

check "no reference" 2 "" "name a reference" -i hyp
check "standard input twice" 2 "" "only one of the files" ref -
check "unknown flag" 2 "" "unknown option --tokenise, did you mean --tokenize?" ref -i hyp --tokenise 13a
check "flag far from all" 2 "" "unknown option --zzzzzzzz" ref --zzzzzzzz
check "beginning of a name" 0 38.5 "" ref -i hyp --tok 13a --score -b
check "beginning of several names" 2 "" "--smooth may be one of --smooth-method, --smooth-value: write more of it" ref --smooth exp
check "value right behind a short name" 0 38.50 "" ref -i hyp -b -w2
check "long name with one dash" 2 "" "unknown option -tokenize, did you mean --tokenize?" ref -tokenize 13a
check "metric that is not known" 2 "" "meteor is not known here; one of: bleu, chrf, ter" ref -i hyp -m bleu meteor
check "reference after -m" 2 "" "References come before this flag" -m bleu ref -i hyp
check "tokenizer that is not built" 2 "" "ja-mecab needs a model or dictionary that tulk does not carry; one of: " ref -tok ja-mecab
check "smoothing that is not known" 2 "" "laplace is not known here; one of: exp, floor, add-k, none" ref -s laplace
check "format that is not known" 2 "" "html is not known here; one of: json, text, latex" ref -f html
check "missing value" 2 "" "-w needs a value" ref -i hyp -w
check "missing value before a flag" 2 "" "-tok needs a value" ref -tok -lc
check "empty value" 2 "" "--input: the value is empty" ref --input=
check "no number" 2 "" "-w: two is not a whole number" ref -w two
check "no whole number" 2 "" "-w: 1.5 is not a whole number" ref -w 1.5
check "out of bounds" 2 "" "-w: -1 is out of bounds, 0 to 40" ref -w -1
check "negative smoothing" 2 "" "-sv: -0.1 is out of bounds" ref -s floor -sv -0.1
check "order out of bounds" 2 "" "--max-ngram-order: 0 is out of bounds, 1 to 32" ref --max-ngram-order 0

check "missing reference" 1 "" "gone: no such file" gone -i hyp
check "missing translations" 1 "" "gone: no such file" ref -i gone
check "directory" 1 "" "is a directory" . -i hyp
check "longer reference" 1 "" "hyp has 2 lines, but three has 3" ref three -i hyp
check "shorter reference" 1 "" "three has 3 lines, but ref2 has 2" three ref2 -i three
echo one >single
check "one line" 1 "" "single has 1 line, but ref has 2" ref -i single
check "empty translations" 1 "" "empty has 0 lines, but ref has 2" ref -i empty
check "empty reference" 1 "" "standard input has 2 lines, but empty has 0" empty
check "all empty" 1 "" "empty has no lines" empty -i empty
check "invalid UTF-8 in the translations" 1 "" "invalid:2: the line is not valid UTF-8" ref -i invalid
check "invalid UTF-8 in a reference" 1 "" "invalid:2: the line is not valid UTF-8" ref invalid -i hyp
check "NUL" 1 "" "nul:2: the line holds a NUL byte" ref -i nul
check "no gzip file" 1 "" "false.gz" ref -i false.gz

printf '\357\273\277The cat sat on the mat.\r\nIt costs 5,000 euros today.' >windows
check "byte-order mark is scored, as by sacreBLEU" 0 89.4 "windows begins with a byte-order mark" ref -i windows -b
check "byte-order mark left out" 0 100.0 "1 byte-order mark (removed)" ref -i windows -b -e utf-8-sig
check "carriage return" 0 100.0 "windows: 2 lines: 1 ended by carriage return and line feed" ref -i windows -b -e utf-8-sig
check "quiet" 0 100.0 "" ref -i windows -b -q -e utf-8-sig
printf '\n\n' >blank
check "empty lines are scored" 0 0.0 "blank: 2 lines: 2 empty" ref -i blank -b

i=0
while [ $i -lt 100 ]; do echo "word number $i ."; i=$((i + 1)); done >tokenized
check "looks tokenised" 0 100.0 "100 translations end in a tokenised period" tokenized -i tokenized -b
check "--force" 0 100.0 "" tokenized -i tokenized -b --force

# More lines than one batch, many of them without a match: any number of threads gives the same.
i=0
while [ $i -lt 5000 ]; do echo "line $i has $((i * 7919 % 100)) of $((i % 13)), e.g. these"; i=$((i + 1)); done >many.ref
sed 's/has/had/; s/ of 1/ off 1/' many.ref >many.hyp
one=$("$tulk" eval many.ref -i many.hyp -m bleu chrf -ci -cin 20 -f text -w 15 --threads 1)
three=$("$tulk" eval many.ref -i many.hyp -m bleu chrf -ci -cin 20 -f text -w 15 --threads 3)
if [ "$one" != "$three" ] || ! echo "$one" | grep -q 'hyp_len = 60'; then
    echo "FAIL threads: $one / $three"
    failures=$((failures + 1))
fi

"$tulk" eval --help >help.out 2>help.err || { echo "FAIL --help: exit $?"; failures=$((failures + 1)); }
for flag in input metrics tokenize lowercase smooth-method smooth-value width short config threads seed quiet; do
    grep -q -- "--$flag" help.out || { echo "FAIL --help does not name --$flag"; failures=$((failures + 1)); }
done
[ -s help.err ] && { echo "FAIL --help speaks on stderr"; failures=$((failures + 1)); }
[ "$("$tulk" eval --version)" = "$("$tulk" --version)" ] || { echo "FAIL --version"; failures=$((failures + 1)); }

if [ -w /dev/full ]; then
    "$tulk" eval ref -i hyp >/dev/full 2>got.err
    if [ $? -ne 1 ] || ! grep -q "cannot write" got.err; then
        echo "FAIL full disk"
        failures=$((failures + 1))
    fi
fi
# A closed pipe ends the command quietly.
{ sleep 0.2; "$tulk" eval ref -i hyp 2>pipe.err; } | true
[ -s pipe.err ] && { echo "FAIL closed pipe: $(cat pipe.err)"; failures=$((failures + 1)); }

[ $failures -eq 0 ] && echo "all well"
[ $failures -eq 0 ]
