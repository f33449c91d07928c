# The C++ blocks of a page that begin with the line "// FILE", one after the other, without that line.
# Usage: awk -v file=env/task/sides.cc -f blocks.awk PAGE
/^```/ { is_file = 0; is_first = $0 == "```cpp"; next }
is_first { is_file = $0 == "// " file; is_first = 0; if (is_file) { if (num++) print ""; next } }
is_file { print }
END { if (num == 0) exit 1 }
