# ${NAME} on ${PART} with Gowin EDA. From the folder that holds rtl/ and mem/: gw_sh syn/gowin.tcl
# The core is meant to sit inside a design: pins (a .cst file) belong to the board.
create_project -name ${NAME} -dir impl -pn ${PART} -force
foreach file [list ${FILES}] {
    add_file -type verilog [file normalize $file]
}
add_file -type sdc [file normalize constraints/${NAME}.sdc]
set_option -top_module ${NAME}_top
set_option -include_path [list [file normalize rtl]]
set_option -verilog_std v2001
set_option -print_all_synthesis_warning 1
run all
