// sim_main.cpp: runs a Verilator model under the VPI program. Time moves from one timed callback to
// the next, so the clock belongs to the VPI program, as in Icarus.
#include <cstdlib>
#include <memory>

#include "Vtb_top.h"
#include "verilated.h"
#include "verilated_vpi.h"

extern "C" void (*vlog_startup_routines[])();

int main(int argc, char **argv)
{
    const std::unique_ptr<VerilatedContext> context { new VerilatedContext };
    context->commandArgs(argc, argv);
    // Registers without reset and memories start with random bits: a core that depends on them
    // fails.
    const char *seed = std::getenv("LG_SEED");
    context->randReset(2);
    context->randSeed(seed && *seed ? std::atoi(seed) & 0x3FFFFFFF : 1);
    // The empty name makes VPI paths begin with "tb_top", as in Icarus.
    const std::unique_ptr<Vtb_top> top { new Vtb_top { context.get(), "" } };

    for (int i = 0; vlog_startup_routines[i]; ++i)
        vlog_startup_routines[i]();
    VerilatedVpi::callCbs(cbStartOfSimulation);
    while (!context->gotFinish()) {
        top->eval();
        const QData next = VerilatedVpi::cbNextDeadline();
        if (next == ~0ULL)
            break;
        context->time(next);
        VerilatedVpi::callTimedCbs();
        VerilatedVpi::callValueCbs();
    }
    top->final();
    return 0;
}
