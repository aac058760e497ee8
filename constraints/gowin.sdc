// ${NAME}: clock and I/O timing, for Gowin EDA. The core is meant to sit inside a design: its ports get a
// fifth of the period outside, so that the paths to and from them are timed.
create_clock -name aclk -period ${CLOCK_NS} -waveform {0 ${CLOCK_HALF_NS}} [get_ports {aclk}]
set_input_delay -clock aclk ${CLOCK_FIFTH_NS} [all_inputs]
set_output_delay -clock aclk ${CLOCK_FIFTH_NS} [all_outputs]
