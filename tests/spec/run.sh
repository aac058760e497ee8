#!/bin/sh
# Readable pairs: bad/<case>.yaml must be refused with exit status 1 and every line of bad/<case>.expect in stderr;
# good/<case>.yaml must be accepted, with every line of good/<case>.expect (if any) in its output.
#   <case>.args   further arguments, one a line (--set, then key=value)
#   <case>.make   instead of .yaml: a shell script that writes the spec to "$1"
# Use: LSTMGEN=build/lstmgen tests/spec/run.sh [case...]      WRAP="valgrind -q --error-exitcode=99" to look deeper
here=$(cd "$(dirname "$0")" && pwd)
: "${LSTMGEN:=$here/../../build/lstmgen}"
case $LSTMGEN in
    */*) LSTMGEN=$(cd "$(dirname "$LSTMGEN")" && pwd)/$(basename "$LSTMGEN") ;;
esac
temp=$(mktemp -d) || exit 2
trap 'rm -rf "$temp"' EXIT
passed=0
failed=0

fail() {
    echo "FAIL $1: $2"
    sed 's/^/    /' "$temp/out" | head -n 20
    failed=$((failed + 1))
}

# run_case FOLDER NAME STATUS
run_case() {
    label=$1/$2
    spec=$2.yaml
    cd "$here/$1" || exit 2
    if [ -f "$2.make" ]; then
        spec=$temp/$2.yaml
        sh "./$2.make" "$spec" || { fail "$label" ".make failed"; return; }
    fi
    set -- "$@" check "$spec"
    if [ -f "$2.args" ]; then
        while IFS= read -r line; do set -- "$@" "$line"; done < "$2.args"
    fi
    name=$2 status=$3
    shift 3
    $WRAP "$LSTMGEN" "$@" > "$temp/stdout" 2> "$temp/stderr"
    got=$?
    cp "$temp/stderr" "$temp/out"
    [ "$status" = 0 ] && cat "$temp/stdout" >> "$temp/out"
    [ "$got" = "$status" ] || { fail "$label" "exit status $got, $status is expected"; return; }
    [ -f "$name.expect" ] || [ "$status" = 0 ] || { fail "$label" "no $name.expect"; return; }
    if [ -f "$name.expect" ]; then
        while IFS= read -r line; do
            grep -qF -e "$line" "$temp/out" || { fail "$label" "not said: $line"; return; }
        done < "$name.expect"
    fi
    passed=$((passed + 1))
}

# run_all FOLDER STATUS [case...]
run_all() {
    folder=$1 expected=$2
    shift 2
    for file in "$here/$folder"/*.yaml "$here/$folder"/*.make; do
        [ -f "$file" ] || continue
        one=$(basename "$file")
        one=${one%.*}
        if [ $# -gt 0 ]; then
            case " $* " in *" $one "*) ;; *) continue ;; esac
        fi
        run_case "$folder" "$one" "$expected"
    done
}

run_all bad 1 "$@"
run_all good 0 "$@"
echo "spec: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
