# first_core on LFE5U-85F-6BG381C with Lattice Diamond. From the folder that holds rtl/ and mem/: diamondc syn/diamond.tcl
prj_project new -name first_core -impl impl1 -dev LFE5U-85F-6BG381C -synthesis synplify
foreach file [list rtl/lg_mul.v rtl/lg_mux_add.v rtl/lg_ram.v rtl/lg_ram_small.v rtl/lg_rom.v rtl/lg_rom2.v rtl/lg_rom_small.v rtl/lg_fifo.v rtl/lg_wait.v rtl/lg_delay.v rtl/lg_delay_reset.v rtl/lg_memory.v rtl/lg_mul_wide.v rtl/lg_tree.v rtl/lg_skid.v rtl/lg_reorder.v rtl/lg_pe.v rtl/lg_bank.v rtl/lg_row.v rtl/lg_chain.v rtl/lg_gather.v rtl/lg_route.v rtl/lg_sequencer.v rtl/lg_limit.v rtl/lg_round.v rtl/lg_align.v rtl/lg_note.v rtl/lg_requant.v rtl/lg_activation.v rtl/lg_bounded.v rtl/lg_lane.v rtl/lg_where.v rtl/lg_cell.v rtl/lg_input.v rtl/lg_counters.v rtl/lg_axil.v rtl/first_core_top.v] {
    prj_src add $file
}
prj_src add constraints/first_core.lpf
prj_impl option top first_core_top
prj_impl option {include path} rtl
prj_run Map -impl impl1
prj_run PAR -impl impl1
prj_project close
