# ${NAME}: clock and I/O timing, for Vivado. The core is meant to sit inside a design: its ports get a
# fifth of the period outside, so that the paths to and from them are timed.
create_clock -name aclk -period ${CLOCK_NS} [get_ports aclk]
# Out of context the clock comes from a buffer outside: without this its skew is not known.
set_property HD.CLK_SRC BUFGCTRL_X0Y0 [get_ports aclk]
set_input_delay -clock aclk [expr 0.2 * ${CLOCK_NS}] [get_ports -filter {DIRECTION == IN && NAME != aclk}]
set_output_delay -clock aclk [expr 0.2 * ${CLOCK_NS}] [get_ports -filter {DIRECTION == OUT}]
