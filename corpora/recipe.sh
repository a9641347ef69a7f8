# What the recipes for files that the user has share; read by corpora/tatoeba and its like, which set `name` and `usage`.
# It reads the options, and gives stop, refuse, unpack, begin and finish.
LC_ALL=C
export LC_ALL

stop() {
    echo "corpora/$name: $*" >&2
    exit 1
}
refuse() {
    echo "corpora/$name: $*" >&2
    echo "$usage" >&2
    exit 2
}

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
harvest=$root/build/corpora/tulk-harvest
out='' held=2000 columns='' words=''
# Words that are no options are collected in `words`, a line each.
read_options() {
    while [ $# -gt 0 ]; do
        case $1 in
            -h | --help) echo "$usage"; exit 0 ;;
            --out | --held | --harvest | --columns)
                [ $# -gt 1 ] || refuse "$1 needs a value"
                case $1 in --out) out=$2 ;; --held) held=$2 ;; --columns) columns=$2 ;; *) harvest=$2 ;; esac
                shift ;;
            -*) refuse "$1: no such option" ;;
            *) words="$words$1
" ;;
        esac
        shift
    done
    echo "$held" | grep -Eq '^[0-9]{1,6}$' || refuse "--held needs a number, not '$held'"
}
is_language() { echo "$1" | grep -Eq '^[a-z]{2,3}([_-][A-Za-z]+)?$' || refuse "$1: a language is written as de, ja or pt_BR"; }

# begin SRC TGT: a folder to work in, which goes away with the script.
begin() {
    src=$1 tgt=$2
    out=${out:-$root/build/corpora/$name-$src-$tgt}
    [ ! -e "$out" ] || [ -f "$out/SOURCES" ] || stop "$out is there and is no corpus of a recipe: name another --out"
    mkdir -p "$(dirname "$out")" || stop "$(dirname "$out") cannot be made: name another --out"
    out=$(cd "$(dirname "$out")" && pwd)/$(basename "$out")
    work=$(mktemp -d "$out.XXXXXX") || stop "$(dirname "$out") cannot be written: name another --out"
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    mkdir "$work/new" "$work/files"
    : > "$work/list"
}

readable() { [ -f "$1" ] && [ -r "$1" ] || stop "$1: no such file: download it first"; }

# unpack FILE: the files of a zip, into $work/files.
unpack() {
    command -v unzip > /dev/null 2>&1 || stop "unzip is not there: install it, or unpack $1 by hand and name the files in it"
    unzip -q -o "$1" -d "$work/files" > "$work/unzip.log" 2>&1 || stop "$1: is no zip, or is damaged: fetch it again"
}

# make_pairs: the corpus from $work/list.
make_pairs() {
    [ -x "$harvest" ] || stop "$harvest is not there: build the project (scripts/quickstart, or ninja -C build)"
    "$harvest" --pair "$src" "$tgt" --out "$work/new" --held "$held" --gentle < "$work/list" > "$work/counts" ||
        stop "there is no corpus of $src and $tgt in these files (see above)"
}

# finish LICENCE FILE...: writes SOURCES and puts the corpus into its place.
finish() {
    {
        echo "Parallel text of $src and $tgt, made by corpora/$name."
        echo
        echo "$1"
        echo
        cat "$work/counts"
        echo
        echo "sha256 of what it was made of"
        shift
        for file in "$@"; do (cd "$(dirname "$file")" && sha256sum "$(basename "$file")" | sed 's/^/  /'); done
        echo
        echo "sha256"
        (cd "$work/new" && sha256sum -- *."$src" *."$tgt" | sed 's/^/  /')
    } > "$work/SOURCES"
    mv "$work/SOURCES" "$work/new/SOURCES"
    if [ -e "$out" ]; then mv "$out" "$work/old"; fi
    mv "$work/new" "$out" || stop "$out cannot be written"
    echo "corpora/$name: $(wc -l < "$out/train.$src") pairs to train on, $(wc -l < "$out/valid.$src") to validate and $(wc -l < "$out/test.$src") to test on in $out; see SOURCES there" >&2
}
