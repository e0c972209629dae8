#!/bin/sh
# Copies the pinned front-end packages into static/vendor/, each with its licence.
#
#   tools/vendor.sh                    fetches them with npm into a temporary directory
#   NODE_MODULES=DIR tools/vendor.sh   takes them from DIR (a node_modules directory)
#
# Nothing here runs when Carebook is installed or used: the copies are part of the repository, so
# that no bundler, no CDN and no npm is needed. To upgrade: change a version, run, commit, and
# change the version in templates/layout.html and static/css/fonts.css.
set -eu
tabler=1.6.1 icons=3.51.0 htmx=2.0.11 flatpickr=4.6.13 inter=5.3.0 sortable=1.15.6

root=$(cd "$(dirname "$0")/.." && pwd)
vendor=$root/static/vendor
modules=${NODE_MODULES:-}
if [ -z "$modules" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    npm install --ignore-scripts --no-audit --no-fund --prefix "$work" \
        "@tabler/core@$tabler" "@tabler/icons@$icons" "htmx.org@$htmx" \
        "flatpickr@$flatpickr" "@fontsource-variable/inter@$inter" "sortablejs@$sortable"
    modules=$work/node_modules
fi

check() { # package version: refuses another version than the pinned one.
    found=$(sed -n 's/^[[:space:]]*"version": "\([^"]*\)".*/\1/p' "$modules/$1/package.json" | head -n 1)
    [ "$found" = "$2" ] || { echo "$1 is $found, pinned is $2" >&2; exit 1; }
}
copy() { # target-directory file...
    target=$vendor/$1
    shift
    mkdir -p "$target"
    cp "$@" "$target/"
}

check @tabler/core $tabler
check @tabler/icons $icons
check htmx.org $htmx
check flatpickr $flatpickr
check @fontsource-variable/inter $inter
check sortablejs $sortable

rm -rf "$vendor"
copy tabler-$tabler "$modules/@tabler/core/dist/css/tabler.min.css"
# The package ships no licence file; it is MIT, as its package.json and style sheet say.
cat > "$vendor/tabler-$tabler/LICENSE" <<'LICENCE'
MIT License

Copyright (c) 2018-2026 The Tabler Authors

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or
substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT
OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
LICENCE
copy htmx-$htmx "$modules/htmx.org/dist/htmx.min.js" "$modules/htmx.org/LICENSE"
copy flatpickr-$flatpickr "$modules/flatpickr/dist/flatpickr.min.js" \
    "$modules/flatpickr/dist/flatpickr.min.css" "$modules/flatpickr/dist/l10n/vn.js" \
    "$modules/flatpickr/LICENSE.md"
copy sortable-$sortable "$modules/sortablejs/Sortable.min.js" "$modules/sortablejs/LICENSE"
fonts=$modules/@fontsource-variable/inter/files
copy inter-$inter "$fonts/inter-latin-wght-normal.woff2" "$fonts/inter-latin-ext-wght-normal.woff2" \
    "$fonts/inter-vietnamese-wght-normal.woff2" "$modules/@fontsource-variable/inter/LICENSE"
copy tabler-icons-$icons "$modules/@tabler/icons/LICENSE"
python3 "$root/tools/icons.py" "$modules/@tabler/icons/icons/outline"
