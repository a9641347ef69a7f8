#!/bin/sh
# The layer check accepts the tree, and refuses trees with one breach each. usage: check-layers.sh ROOT
set -eu
check=$1/scripts/check-layers
"$check" "$1"

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

# refuses FILE LINE: a tree with only this line in it must fail, and the file must be named.
refuses() {
    rm -rf "${tree:?}/lib" "${tree:?}/cmd"
    mkdir -p "$tree/lib/base" "$tree/cmd" "$tree/corpora" "$tree/tests" "$tree/$(dirname "$1")"
    echo "int nothing;" > "$tree/lib/base/empty.c"
    "$check" "$tree" || { echo "an empty tree is refused"; exit 1; }
    echo "$2" > "$tree/$1"
    if "$check" "$tree" > "$tree/out"; then
        echo "not refused: $2 in $1"
        exit 1
    fi
    grep -q "^$1:1: " "$tree/out" || { echo "$1 is not named:"; cat "$tree/out"; exit 1; }
}

refuses lib/base/a.c '#include "text/tokenizer.h"'
refuses lib/kernel/a.c '#include "tensor/tensor.h"'
refuses lib/text/a.h '#include "kernel/gemm.h"'
refuses lib/model/a.c '#  include "store/store.h"'
refuses lib/eval/a.c '#include "data/lines.h"'
refuses lib/search/a.c '#include "train/trainer.h"'
refuses lib/train/a.c '#include "options/options.h"'
refuses lib/train/a.c '#include "command.h"'
refuses lib/nn/a.c '#include <omp.h>'
refuses lib/nn/a.c '#pragma omp parallel'
refuses lib/data/a.c '#include <pthread.h>'
refuses lib/data/a.c '#include <sqlite3.h>'
refuses lib/data/a.c '#include "../kernel/gemm.h"'
refuses lib/cellar/a.c '#include "base/str.h"'
