/* parts.h: FPGA families (what their tools and leaves do) and parts (what they hold). */
#ifndef FLOW_PARTS_H
#define FLOW_PARTS_H

#include "lstmgen.h"

typedef enum {
    LIBRARY_ICE40, LIBRARY_ECP5, LIBRARY_NEXUS, LIBRARY_XILINX, LIBRARY_GOWIN, LIBRARY_M9K, LIBRARY_M10K,
    LIBRARY_M20K, LIBRARY_LSRAM, LIBRARIES
} RamLibrary;

/* The resources that reports name, in this order. */
typedef enum { RES_LUT, RES_LUTRAM, RES_FF, RES_CARRY, RES_DSP, RES_BRAM, RESOURCES } Resource;

/* One row of FAMILY in parts.def; the columns are explained there. */
typedef struct Family {
    const char *key, *title, *yosys, *models, *folder;
    int mul_latency, a_max, b_max;
    bool small_ram, rom_as_logic;
    RamLibrary library;
    const char *like;                   /* whose coefficients the estimate takes */
    const char *cells[RESOURCES];
    const char *constraints, *vendor;   /* template files; vendor may be "" */
} Family;

/* One row of PART in parts.def. dsps = 0: products are made of LUTs (macro LG_NO_DSP). */
typedef struct Part {
    const char *name, *family;
    int64_t luts, ffs, dsps, brams;
    const char *nextpnr, *device;
} Part;

/* The part with this name, in any case, with or without vendor prefix ("iCE40"), hyphens, speed grade and
 * package ("xc7a35tcpg236-1", "lfe5u-85f-6bg381c"). NULL or "": the default part, LFE5U-85F. NULL: unknown. */
const Part *part_find(const char *name);
/* The known name nearest to an unknown one, for messages; NULL when none is near. */
const char *part_nearest(const char *name);
/* The orderable device for the vendor's tools: the name itself if it says more than the part, else the table's. */
const char *part_device(const Part *p, const char *name);
const Part *part_table(int *n);
const Family *family_find(const char *key);     /* NULL: unknown */
const Family *part_family(const Part *p);
const Family *family_table(int *n);
/* The file of a leaf module for a family: its own under lib/leaf/<folder>, else the generic one. */
const char *part_leaf(Arena *a, const char *templates, const Family *f, const char *module);
/* The table of `lstmgen parts`. */
void parts_print(FILE *to);

/* Block RAMs that an lg_ram (one write, one read port) of width bits x depth words takes. Equal to what Yosys 0.23
 * maps, whose cost function this follows (blocks, plus half a unit per multiplexer bit). Unit: see parts.def. */
int64_t part_ram_blocks(const Family *f, int64_t width, int64_t depth);
/* The same for lg_rom (ports = 1) and lg_rom2 (ports = 2). */
int64_t part_rom_blocks(const Family *f, int64_t width, int64_t depth, int ports);
/* lg_mul instances for one product with a b operand of b_width bits: low parts are unsigned, b_max - 1 bits each. */
int mul_split(const Family *f, int b_width);

#endif
