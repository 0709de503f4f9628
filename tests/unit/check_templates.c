/* The template engine on templates of its own, and the plan against the real ones: no value that nobody uses. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../gen/emit.h"
#include "../../gen/template.h"
#include "../common/expect.h"

/* TEXT's lines as a template. */
struct lines {
    char text[512];
    const char *line[32];
    struct template template;
};

static void split(struct lines *lines, const char *text) {
    snprintf(lines->text, sizeof(lines->text), "%s", text);
    lines->template = (struct template){"t.in", lines->line, 0};
    for (char *p = lines->text; *p;) {
        lines->line[lines->template.count++] = p;
        p += strcspn(p, "\n");
        if (*p)
            *p++ = '\0';
    }
}

static struct plan *small_plan(void) {
    struct plan *plan = calloc(1, sizeof(*plan));
    plan_number(plan, "three", 3);
    plan_number(plan, "zero", 0);
    plan_number(plan, "minus", -125);
    plan_text(plan, "word", "text");
    plan_list(plan, "list");
    plan_item(plan, "list", "first");
    plan_item(plan, "list", "second");
    plan_list(plan, "ends");
    plan_item(plan, "ends", "2");
    plan_item(plan, "ends", "0");
    return plan;
}

/* Fills OUT with the rendered text, or with what a mistake says. Returns the exit status. */
static int render(const char *text, char *out, size_t size) {
    struct lines lines = {.line = {NULL}};
    split(&lines, text);
    int ends[2];
    if (pipe(ends) != 0)
        exit(1);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        struct plan *plan = small_plan();
        template_render(&lines.template, plan, stdout);
        fflush(stdout);
        plan_free(plan);
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t got;
    while (length < size - 1 && (got = read(ends[0], out + length, size - 1 - length)) > 0)
        length += (size_t)got;
    out[length] = '\0';
    close(ends[0]);
    int status;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static void gives(const char *text, const char *want) {
    char out[1024];
    int status = render(text, out, sizeof(out));
    expect(status == 0 && strcmp(out, want) == 0, text, out);
}

static void says(const char *text, const char *want) {
    char out[1024];
    int status = render(text, out, sizeof(out));
    expect(status == 1 && strstr(out, want), text, out);
}

static void check_engine(void) {
    gives("plain $ { } line\n", "plain $ { } line\n");
    gives("\n\n", "\n\n");
    gives("${three}${word} ${minus}", "3text -125\n");
    gives("[${three-1}:0] ${three + 2} ${2 * three} ${7}", "[2:0] 5 6 7\n");
    gives("a${word}${>8}b ${>3}c", "atext   b c\n");
    gives("${list} ${list[1]} ${list[list-2]}", "2 second first\n");
    gives("//% if three\nyes\n//% end\n//% if !three\nno\n//% end", "yes\n");
    gives("  //% if zero\nyes\n  //% end\n//% if !zero\nno\n//% end", "no\n");
    gives("//% for i in 1..three\n${i}\n//% end", "1\n2\n3\n");
    gives("//% for i in 0..list-1\n${i}: ${list[i]}\n//% end", "0: first\n1: second\n");
    gives("//% for i in 1..zero\n${list[i]}\n//% end\nend", "end\n");
    gives("//% for i in 0..1\n//% if i\nmore\n//% end\n//% for j in i..1\n${i}${j}\n//% end\n//% end",
          "00\n01\nmore\n11\n");
    gives("//% for i in 0..ends[0]\n${i}\n//% end", "0\n1\n2\n");
    gives("//% for i in 0..ends-1\n//% if ends[i]\nyes ${i}\n//% end\n//% end", "yes 0\n");
    gives("//% if !ends[1]\n${list[ends[1] + 1]}\n//% end", "second\n");
    gives("//% for i in 1..zero\n//% if ends[i + 7]\n//% end\n//% end\nend", "end\n");
    gives("//% file if zero\nbody", "body\n");
    says("a\n${nobody}", "t.in:2: no value is called 'nobody'");
    says("//% if zero\n${nobody}\n//% end", "t.in:2: no value is called 'nobody'");
    says("//% for i in 1..0\n${nobody}\n//% end", "t.in:2: no value is called 'nobody'");
    says("//% if zero\n//% if nobody\n//% end\n//% end", "t.in:2: no value is called 'nobody'");
    says("//% if zero\n//% for i in 1..nobody\n//% end\n//% end", "t.in:2: no value is called 'nobody'");
    says("${three", "t.in:1: '}' expected");
    says("${}", "t.in:1: name expected");
    says("${list[2]}", "t.in:1: 'list' has no item 2; it has 2");
    says("${list[1}", "t.in:1: ']' expected");
    says("${word-1}", "t.in:1: '}' expected");
    says("//% if word\n//% end", "t.in:1: 'word' is a text");
    says("a\n//% if three\nb", "t.in:2: no //% end to this line");
    says("//% if list[0]\n//% end", "t.in:1: 'list' has the item 'first'; a number is needed");
    says("//% if three[0]\n//% end", "t.in:1: 'three' is no list");
    says("//% if ends[2]\n//% end", "t.in:1: 'ends' has no item 2; it has 2");
    says("//% end", "t.in:1: '//% end' is not expected here");
    says("//% while three\n//% end", "t.in:1: '//% while three' is not expected here");
    says("//% if three four\n//% end", "t.in:1: nothing more expected at 'four'");
    says("//% for three in 1..2\n//% end", "t.in:1: 'three' has a value already");
    says("//% for i in 1..2\n//% for i in 1..2\n//% end\n//% end", "t.in:2: 'i' has a value already");
    says("//% for i of 1..2\n//% end", "t.in:1: 'in' expected");
    says("//% for i in 1.2\n//% end", "t.in:1: '..' expected");
}

/* Configurations that between them need every template and every value. */
static const char *const wanted[][2] = {{"policy", "rotate"},   {"policy", "static"},   {"lo-round", "truncate"},
                                        {"specials", "off"},    {"out-format", "bf16"}, {"streams", "4"},
                                        {"streams", "1"},       {"format", "e2m1"},     {"a-format", "e4m3"},
                                        {"out-format", "e4m3"}, {"policy", "low"},      {"policy", "high"},
                                        {"core", "on"}};
enum { WANTED = sizeof(wanted) / sizeof(wanted[0]), NAMES_MAX = VALUES_MAX };

static struct {
    char name[PLAN_NAME_MAX];
    bool used, manifest_only;
} seen[NAMES_MAX];
static size_t seen_count;

static void note(const struct value *value) {
    size_t i = 0;
    while (i < seen_count && strcmp(seen[i].name, value->name) != 0)
        i++;
    if (i == seen_count)
        snprintf(seen[seen_count++].name, sizeof(seen[i].name), "%s", value->name);
    seen[i].used |= value->used;
    seen[i].manifest_only |= value->manifest_only;
}

static void use(struct daa_options *options) {
    struct daa_config config;
    struct daa_error error;
    bool legal = daa_options_resolve(options, DAA_HARDWARE, &config, &error);
    expect(legal, "resolve", error.text);
    daa_options_free(options);
    if (!legal)
        return;
    struct plan *plan = plan_new(&config);
    struct files files = {.count = 0};
    emit(&config, plan, &files);
    expect(files.count > 10 && strcmp(files.file[files.count - 1].path, "daa.json") == 0, "emit",
           "daa.json is not last");
    for (size_t i = 0; i < plan->count; i++)
        note(&plan->values[i]);
    files_free(&files);
    plan_free(plan);
}

static void check_values(void) {
    struct daa_error error;
    for (size_t i = 0; i < daa_named_count(); i++) {
        struct daa_options *options = daa_options_new();
        expect(daa_options_load(options, daa_named_name(i), &error), "load", error.text);
        use(options);
    }
    for (int i = 0; i < WANTED; i++) {
        struct daa_options *options = daa_options_new();
        expect(daa_options_set(options, wanted[i][0], wanted[i][1], &error), wanted[i][0], error.text);
        use(options);
    }
    for (size_t i = 0; i < seen_count; i++)
        expect(seen[i].used != seen[i].manifest_only, seen[i].name,
               seen[i].used ? "a template uses it, so it is not for daa.json only" : "no template uses this value");
}

int main(void) {
    check_engine();
    check_values();
    printf("%d cases, %d faults\n", cases, faults);
    return faults > 0;
}
