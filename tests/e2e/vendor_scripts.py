#!/usr/bin/python3
"""Scripts and constraints for vendors' tools, read by tclsh with stand-ins that know the commands' options.  suite: 5 s

    vendor_scripts.py [WORD]...      only the cases with every WORD in their name

The options are those of the tools' command references (Vivado: UG835); one that is not listed is an error.
"""
import pathlib, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import little_spec, lstmgen, scratch

suite = Suite()
# command: options with a value, options without, how many other words at most
VIVADO = {"read_verilog": ("library", "sv", 1), "read_xdc": ("cells ref mode", "unmanaged", 1),
          "synth_design": ("top part mode include_dirs verilog_define flatten_hierarchy generic", "quiet", 0),
          "opt_design": ("directive", "quiet", 0), "place_design": ("directive", "quiet", 0),
          "route_design": ("directive", "quiet", 0), "report_utilization": ("file", "hierarchical append", 0),
          "report_timing_summary": ("file max_paths", "append", 0), "write_checkpoint": ("", "force quiet", 1),
          "get_timing_paths": ("max_paths nworst from to", "setup hold", 0), "get_property": ("", "min max quiet", 2),
          "create_clock": ("name period waveform", "add", 1), "set_property": ("dict", "quiet", 3),
          "set_input_delay": ("clock", "min max add_delay", 2), "set_output_delay": ("clock", "min max add_delay", 2),
          "get_ports": ("filter", "quiet regexp", 1)}
STUB = """
proc stub {name valued plain most words} {
    set other 0
    for {set k 0} {$k < [llength $words]} {incr k} {
        set word [lindex $words $k]
        if {[string match {-[a-z]*} $word]} {
            set option [string range $word 1 end]
            if {$option in $valued} { incr k } elseif {$option ni $plain} { error "$name has no option $word" }
        } elseif {[incr other] > $most} { error "$name: one word too many: $word" }
    }
    lappend ::calls [linsert $words 0 $name]
    if {$name eq "get_property"} { return $::slack }
    return $name
}
"""


def run_script(folder, commands, script, tail, slack="0.5"):
    stub = STUB + "".join("proc %s args { stub %s {%s} {%s} %d $args }\n" % (c, c, *o) for c, o in commands.items())
    path = pathlib.Path(folder, "stub.tcl")
    path.write_text("set calls {}\nset slack %s\n%ssource %s\n%s\nforeach c $calls { puts $c }\n" %
                    (slack, stub, script, tail))
    return subprocess.run(["tclsh", str(path)], cwd=folder, capture_output=True, text=True)


@suite.case("Vivado: options, files that exist, a checkpoint, an error where timing is missed", ["tclsh"])
def _():
    with scratch() as folder:
        r = lstmgen(little_spec(folder), "--part", "xc7a100t", "-o", folder + "/out")
        check(r.status == 0, "exit %s: %s", r.status, r.last())
        out = folder + "/out"
        done = run_script(out, VIVADO, "syn/vivado.tcl", "source constraints/little.xdc")
        check(done.returncode == 0, "tclsh: %s", done.stderr)
        calls = done.stdout
        for line in calls.splitlines():
            for word in line.replace("{", " ").replace("}", " ").split():
                check(not word.startswith(("rtl/", "constraints/")) or pathlib.Path(out, word).exists(), "no %s", word)
        for words in ("write_checkpoint -force", "-mode out_of_context", "HD.CLK_SRC", "create_clock -name aclk -period 10 "):
            check(words in calls, "no '%s' in %s", words, calls)
        done = run_script(out, VIVADO, "syn/vivado.tcl", "", slack="-0.25")
        check(done.returncode == 1 and "missed by 0.25 ns" in done.stderr, "exit %s: %s", done.returncode, done.stderr)


suite.main()
