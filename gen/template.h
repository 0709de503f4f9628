/* The template engine. It knows three things:
 *   ${name} ${name-1} ${list[i]}      a named value; two numbers with + - or * between them; an item of a list
 *   ${>40}                            blanks up to column 40, counted from 0
 *   //% if name   //% if !name        lines up to //% end only where a number is not (is) zero
 *   //% for i in 1..name              lines up to //% end once for each number; bounds: 4, name, name-1
 * There an item of a list that is a number, list[i], may stand for a name. And as a template's first line,
 * `//% file if name`: the file is emitted only then. Names are checked in dropped blocks too. */
#ifndef DAAGEN_TEMPLATE_H
#define DAAGEN_TEMPLATE_H

#include <stdio.h>

#include "plan.h"

struct template {
    const char *name; /* "daa_pe.v.in" */
    const char *const *lines;
    size_t count;
};

/* Made by embed.c from gen/template/. */
extern const struct template templates[];
extern const size_t template_count;

/* False where its first line says that this configuration does without it. */
bool template_wanted(const struct template *template, struct plan *plan);
/* Exits with the template's file and line on a mistake in it. */
void template_render(const struct template *template, struct plan *plan, FILE *out);

#endif
