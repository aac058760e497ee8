"""Elaborates Verilog-2005 with slang, for tests: `slang.py --top NAME FILE...`, run by the Python of build/venv.

slang is as strict as VCS, xsim and Icarus 13: what is used before its declaration is an error. Prints what slang says;
exit 1 after an error or a warning. Cells of an FPGA family that no file declares are ignored.
"""
import shlex, sys

import pyslang

driver = pyslang.driver.Driver()
driver.addStandardArgs()
options = ["--std", "1364-2005", "--ignore-unknown-modules", "-Werror", "--timescale", "1ns/1ns"]
if not (driver.parseCommandLine(shlex.join(["slang"] + options + sys.argv[1:]), pyslang.driver.CommandLineOptions()) and
        driver.processOptions() and driver.parseAllSources()):
    sys.exit(1)
compilation = driver.createCompilation()
driver.reportCompilation(compilation, True)
sys.exit(0 if driver.reportDiagnostics(True) else 1)
