#include "template.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "../files/command.h"

enum { LOOPS_MAX = 8 };

struct loop {
    char name[PLAN_NAME_MAX];
    int number;
};

struct engine {
    const struct template *template;
    struct plan *plan;
    FILE *out;
    struct loop loops[LOOPS_MAX];
    int depth;
    size_t line;   /* from 0 */
    size_t column; /* in the line that is being written, from 0 */
    bool live;     /* the lines are written, not only checked */
};

static _Noreturn void mistake(const struct engine *engine, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static _Noreturn void mistake(const struct engine *engine, const char *format, ...) {
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    fail(EXIT_JOB, "template %s:%zu: %s", engine->template->name, engine->line + 1, text);
}

/* A cursor over one expression: `p` stands at what is not read yet. */
static void skip_blanks(const char **p) {
    while (**p == ' ' || **p == '\t')
        (*p)++;
}

static bool skip_word(const char **p, const char *word) {
    size_t length = strlen(word);
    if (strncmp(*p, word, length) != 0 || isalnum((unsigned char)(*p)[length]) || (*p)[length] == '_')
        return false;
    *p += length;
    skip_blanks(p);
    return true;
}

static void read_name(const struct engine *engine, const char **p, char name[PLAN_NAME_MAX]) {
    size_t length = 0;
    while (isalnum((unsigned char)**p) || **p == '_') {
        if (length == PLAN_NAME_MAX - 1)
            mistake(engine, "name is longer than %d characters", PLAN_NAME_MAX - 1);
        name[length++] = *(*p)++;
    }
    name[length] = '\0';
    if (length == 0 || isdigit((unsigned char)name[0]))
        mistake(engine, "name expected at '%.32s'", *p);
}

static int read_digits(const struct engine *engine, const char **p) {
    if (!isdigit((unsigned char)**p))
        mistake(engine, "number expected at '%.32s'", *p);
    char *end;
    long number = strtol(*p, &end, 10);
    if (number > 1000000)
        mistake(engine, "number out of range at '%.32s'", *p);
    *p = end;
    return (int)number;
}

static const struct loop *find_loop(const struct engine *engine, const char *name) {
    for (int i = 0; i < engine->depth; i++)
        if (strcmp(engine->loops[i].name, name) == 0)
            return &engine->loops[i];
    return NULL;
}

static struct value *find_value(const struct engine *engine, const char *name) {
    struct value *value = plan_find(engine->plan, name);
    if (!value)
        mistake(engine, "no value is called '%s'", name);
    value->used = true;
    return value;
}

/* A loop's variable, a number or the length of a list. */
static int number_of(const struct engine *engine, const char *name) {
    const struct loop *loop = find_loop(engine, name);
    if (loop)
        return loop->number;
    const struct value *value = find_value(engine, name);
    if (value->kind == TEXT)
        mistake(engine, "'%s' is a text; a number is needed", name);
    return value->number;
}

static int read_number(const struct engine *engine, const char **p);

/* What stands between the brackets of LIST[...]; NULL: no such item, in a block that is not written. */
static const char *read_item(const struct engine *engine, const char **p, const struct value *list) {
    int index = read_number(engine, p);
    if (*(*p)++ != ']')
        mistake(engine, "']' expected after '%s['", list->name);
    if (index >= 0 && index < list->number)
        return list->items[index];
    if (engine->live)
        mistake(engine, "'%s' has no item %d; it has %d", list->name, index, list->number);
    return NULL;
}

static int item_number(const struct engine *engine, const char **p, const char *name) {
    const struct value *list = find_value(engine, name);
    if (list->kind != LIST)
        mistake(engine, "'%s' is no list", name);
    const char *text = read_item(engine, p, list);
    char *end = NULL;
    long number = text ? strtol(text, &end, 10) : 0;
    if (text && (!*text || *end))
        mistake(engine, "'%s' has the item '%.32s'; a number is needed", name, text);
    return (int)number;
}

/* A number, a name, or an item of a list. */
static int read_operand(const struct engine *engine, const char **p) {
    skip_blanks(p);
    if (isdigit((unsigned char)**p))
        return read_digits(engine, p);
    char name[PLAN_NAME_MAX];
    read_name(engine, p, name);
    if (**p != '[')
        return number_of(engine, name);
    (*p)++;
    return item_number(engine, p, name);
}

/* Operands with '+', '-' or '*' between them, taken from left to right. */
static int read_number(const struct engine *engine, const char **p) {
    int number = read_operand(engine, p);
    for (;;) {
        const char *behind = *p;
        skip_blanks(&behind);
        char operation = *behind;
        if (operation != '+' && operation != '-' && operation != '*')
            return number;
        *p = behind + 1;
        int other = read_operand(engine, p);
        number = operation == '+' ? number + other : operation == '-' ? number - other : number * other;
    }
}

/* The text or list that the expression at P starts with, or NULL: it is a number. */
static const struct value *find_wordy(const struct engine *engine, const char **p) {
    const char *behind = *p;
    if (isdigit((unsigned char)*behind))
        return NULL;
    char name[PLAN_NAME_MAX];
    read_name(engine, &behind, name);
    const struct value *value = find_loop(engine, name) ? NULL : find_value(engine, name);
    if (!value || value->kind == NUMBER || (value->kind == LIST && *behind != '['))
        return NULL;
    *p = value->kind == LIST ? behind + 1 : behind;
    return value;
}

static void write_text(struct engine *engine, const char *text, size_t length) {
    fwrite(text, 1, length, engine->out);
    engine->column += length;
}

/* P stands behind "${"; on return behind "}". */
static void write_value(struct engine *engine, const char **p, bool live) {
    const char *start = *p, *text = "";
    char digits[16];
    const struct value *value = **p == '>' ? NULL : find_wordy(engine, p);
    if (**p == '>') {
        (*p)++;
        for (size_t column = (size_t)read_digits(engine, p); live && engine->column < column;)
            write_text(engine, " ", 1);
    } else if (value) {
        text = value->kind == LIST ? read_item(engine, p, value) : value->text;
    } else {
        snprintf(digits, sizeof(digits), "%d", read_number(engine, p));
        text = digits;
    }
    if (**p != '}')
        mistake(engine, "'}' expected in '${%.32s'", start);
    (*p)++;
    if (live && text)
        write_text(engine, text, strlen(text));
}

static void write_line(struct engine *engine, const char *p, bool live) {
    engine->column = 0;
    while (*p) {
        const char *mark = strstr(p, "${");
        size_t plain = mark ? (size_t)(mark - p) : strlen(p);
        if (live)
            write_text(engine, p, plain);
        if (!mark)
            break;
        p = mark + 2;
        write_value(engine, &p, live);
    }
    if (live)
        fputc('\n', engine->out);
}

/* The text behind a line's "//%", or NULL. */
static const char *directive(const char *line) {
    skip_blanks(&line);
    if (strncmp(line, "//%", 3) != 0)
        return NULL;
    line += 3;
    skip_blanks(&line);
    return line;
}

static void expect_end(const struct engine *engine, const char *p) {
    skip_blanks(&p);
    if (*p)
        mistake(engine, "nothing more expected at '%.32s'", p);
}

static bool read_condition(const struct engine *engine, const char *p) {
    bool wanted = *p != '!';
    if (!wanted)
        p++;
    int number = read_operand(engine, &p);
    expect_end(engine, p);
    return (number != 0) == wanted;
}

static void render_block(struct engine *engine, size_t opened, bool live);

static void render_if(struct engine *engine, const char *p, bool live) {
    bool holds = read_condition(engine, p);
    size_t opened = ++engine->line;
    render_block(engine, opened, live && holds);
}

/* A loop that never runs is walked through once, not live, to check its names. */
static void render_for(struct engine *engine, const char *p, bool live) {
    if (engine->depth == LOOPS_MAX)
        mistake(engine, "loops are nested deeper than %d", LOOPS_MAX);
    struct loop *loop = &engine->loops[engine->depth];
    read_name(engine, &p, loop->name);
    if (find_loop(engine, loop->name) || plan_find(engine->plan, loop->name))
        mistake(engine, "'%s' has a value already", loop->name);
    skip_blanks(&p);
    if (!skip_word(&p, "in"))
        mistake(engine, "'in' expected at '%.32s'", p);
    int first = read_number(engine, &p);
    if (strncmp(p, "..", 2) != 0)
        mistake(engine, "'..' expected at '%.32s'", p);
    p += 2;
    int last = read_number(engine, &p);
    expect_end(engine, p);

    size_t body = engine->line + 1;
    engine->depth++;
    bool runs = live && first <= last;
    for (int number = first; number <= (runs ? last : first); number++) {
        loop->number = number;
        engine->line = body;
        render_block(engine, body, runs);
    }
    engine->depth--;
}

/* From the current line up to the //% end that closes the block opened on line OPENED (from 1), or to the template's
 * end where OPENED is 0. */
static void render_block(struct engine *engine, size_t opened, bool live) {
    for (; engine->line < engine->template->count; engine->line++) {
        const char *line = engine->template->lines[engine->line];
        const char *p = directive(line);
        engine->live = live;
        if (!p) {
            write_line(engine, line, live);
        } else if (skip_word(&p, "if")) {
            render_if(engine, p, live);
        } else if (skip_word(&p, "for")) {
            render_for(engine, p, live);
        } else if (opened && skip_word(&p, "end")) {
            expect_end(engine, p);
            return;
        } else {
            mistake(engine, "'//%% %.32s' is not expected here", p);
        }
    }
    if (opened) {
        engine->line = opened - 1;
        mistake(engine, "no //%% end to this line");
    }
}

/* The condition of a first line `//% file if name`, or NULL. */
static const char *file_condition(const struct template *template) {
    const char *p = template->count ? directive(template->lines[0]) : NULL;
    return p && skip_word(&p, "file") && skip_word(&p, "if") ? p : NULL;
}

bool template_wanted(const struct template *template, struct plan *plan) {
    const struct engine engine = {.template = template, .plan = plan};
    const char *condition = file_condition(template);
    return !condition || read_condition(&engine, condition);
}

void template_render(const struct template *template, struct plan *plan, FILE *out) {
    struct engine engine = {.template = template, .plan = plan, .out = out};
    if (file_condition(template))
        engine.line = 1;
    render_block(&engine, 0, true);
}
