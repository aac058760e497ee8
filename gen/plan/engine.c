/* engine.c: the two engines. A pattern names the one it runs on (Pattern.engine). */
#include "plan/plan.h"

#include "emit/emit.h"

const Engine engine_gather = {
    .name = "gather", .plan = gather_plan, .cycles = cycles_simulate, .timeline = gather_timeline,
    .modules = gather_modules, .unused = gather_unused, .holes = gather_holes, .images = gather_images,
};

const Engine engine_scatter = {
    .name = "scatter", .plan = scatter_plan, .cycles = scatter_cycles,
    .modules = scatter_modules, .unused = scatter_unused, .holes = scatter_holes, .images = scatter_images,
    .memories = scatter_list_memories,
};
