/* order.c: the order of the sections in the program of a step, and which of them work on the step before.
 *
 * Where all rows are alike, all sections work on the same step but for those behind: the projection of the last
 * recurrent layer and a last layer that no one reads (the head). They need nothing of the next x, so they are done
 * before it comes where it is late; where it is not, parts of the next step fill the time in which their inputs drain. A
 * projection that is behind is the first of the program, as the next step waits for what it writes.
 *
 * Where rows differ in length, layers are stages: each works on the step before that of the layer below it, so what one
 * writes drains while the others work. A projection belongs to the stage behind its layer's, and all of them come first in
 * the program; then the first sections of all layers, then the second ones (gru with the reset before). */
#include "plan/plan.h"

static const Section *section_of(const Design *d, int section)
{
    return &d->net->section[section];
}

bool section_is_projection(const Design *d, int section)
{
    const Section *s = section_of(d, section);
    return d->net->layer[s->layer].pass[s->first].gate == 'p';
}

bool section_is_head(const Design *d, int section)
{
    const Section *s = section_of(d, section);
    return s->layer > 0 && s->writes < 0 && s->output && s->terms == 1;
}

static int body_sections(const Design *d)
{
    return d->net->sections - section_is_head(d, d->net->sections - 1);
}

bool section_is_behind(const Design *d, int section)
{
    if (d->engine != &engine_gather || d->stages > 1)
        return false;
    return section_is_head(d, section) || (section == body_sections(d) - 1 && section_is_projection(d, section));
}

int section_stage(const Design *d, int section)
{
    return section_of(d, section)->layer + section_is_projection(d, section);
}

int section_stages(const Design *d)
{
    int most = 0;
    for (int s = 0; s < d->net->sections; s++)
        most = MAX(most, section_stage(d, s));
    return most + 1;
}

/* Sections with the lowest rank come first, in the network's order. */
static int rank_of(const Design *d, int section)
{
    if (d->engine != &engine_gather || d->stages == 1)
        return section_is_behind(d, section) ? 0 : 1;
    return section_is_projection(d, section) ? 0 : 1 + section - d->net->layer[section_of(d, section)->layer].first_section;
}

void plan_order(Design *d)
{
    int n = d->stages > 1 ? d->net->sections : body_sections(d);
    d->n_order = 0;
    for (int rank = 0; d->n_order < n; rank++)
        for (int s = 0; s < n; s++)
            if (rank_of(d, s) == rank)
                d->order[d->n_order++] = s;
}

static int place_of(const Design *d, int section)
{
    for (int k = 0; k < d->n_order; k++)
        if (d->order[k] == section)
            return k;
    return d->n_order;                  /* the head */
}

static int writer_of(const Design *d, int vector)
{
    int writer = 0;
    while (section_of(d, writer)->writes != vector)
        writer++;
    return writer;
}

/* Sections before `section` (round the step) since the vector of a term is complete; x always is. */
static int term_age(const Design *d, int section, int which)
{
    const Product *p = &d->net->product[section_of(d, section)->term[which]];
    if (p->from == 0)
        return 2 * SECTIONS_MAX;
    int age = place_of(d, section) - place_of(d, writer_of(d, p->from));
    return age > 0 ? age : age + d->n_order;
}

int section_early_term(const Design *d, int section)
{
    return section_of(d, section)->terms > 1 && term_age(d, section, 1) > term_age(d, section, 0);
}

int section_age(const Design *d, int section)
{
    const Section *s = section_of(d, section);
    return term_age(d, section, s->terms > 1 ? !section_early_term(d, section) : 0);
}

bool section_waits(const Design *d, int section)
{
    return section_of(d, section)->terms > 1 && section_age(d, section) == 1;
}

int section_filler(const Design *d, int section)
{
    int place = place_of(d, section);
    if (place == d->n_order || !section_is_projection(d, section))
        return -1;
    int next = d->order[(place + 1) % d->n_order];
    return section_of(d, next)->terms > 1 && term_age(d, next, section_early_term(d, next)) > 1 ? next : -1;
}
