# 100 MB that take no room on the disk
dd if=/dev/null of="$1" bs=1 seek=104857600 2>/dev/null
