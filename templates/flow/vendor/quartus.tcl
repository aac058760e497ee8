# ${NAME} on ${PART} with Quartus. From the folder that holds rtl/ and mem/: quartus_sh -t syn/quartus.tcl
# All pins but the clock are virtual: the core is meant to sit inside a design.
package require ::quartus::project
package require ::quartus::flow
project_new -overwrite ${NAME}
set_global_assignment -name DEVICE ${PART}
set_global_assignment -name TOP_LEVEL_ENTITY ${NAME}_top
set_global_assignment -name VERILOG_MACRO "SYNTHESIS=1"
set_global_assignment -name SEARCH_PATH rtl
foreach file [list ${FILES}] {
    set_global_assignment -name VERILOG_FILE $file
}
set_global_assignment -name SDC_FILE constraints/${NAME}.sdc
set_instance_assignment -name VIRTUAL_PIN ON -to *
set_instance_assignment -name VIRTUAL_PIN OFF -to aclk
execute_flow -compile
project_close
