# ${NAME} on ${PART} with Vivado, out of context. From the folder that holds rtl/ and mem/:
#     vivado -mode batch -log build/vivado.log -journal build/vivado.jou -source syn/vivado.tcl
# Ends with status 1 where the clock of constraints/${NAME}.xdc is missed.
read_verilog [list ${FILES}]
read_xdc constraints/${NAME}.xdc
synth_design -top ${NAME}_top -part ${PART} -mode out_of_context -include_dirs rtl -verilog_define SYNTHESIS
opt_design
place_design
route_design
report_utilization -file syn/vivado_utilization.txt
report_timing_summary -file syn/vivado_timing.txt
write_checkpoint -force syn/vivado_routed.dcp
set slack [get_property SLACK [get_timing_paths -max_paths 1]]
if {$slack < 0} {
    puts stderr "timing is missed by [expr {-$slack}] ns: see syn/vivado_timing.txt"
    exit 1
}
