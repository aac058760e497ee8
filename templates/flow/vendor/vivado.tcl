# ${NAME} on ${PART} with Vivado, out of context. From the folder that holds rtl/ and mem/:
#     vivado -mode batch -source syn/vivado.tcl
read_verilog [list ${FILES}]
read_xdc constraints/${NAME}.xdc
synth_design -top ${NAME}_top -part ${PART} -mode out_of_context -include_dirs rtl -verilog_define SYNTHESIS
opt_design
place_design
route_design
report_utilization -file syn/vivado_utilization.txt
report_timing_summary -file syn/vivado_timing.txt
