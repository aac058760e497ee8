seq -f 'key%g: 1' 1 50000 > "$1"
