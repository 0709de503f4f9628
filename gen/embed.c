/* Build-time helper: template files to a C source with one string per line. embed TEMPLATE.in... > templates.c */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void embed_line(const char *p) {
    fputs("    \"", stdout);
    for (; *p && *p != '\n'; p++) {
        if (*p == '"' || *p == '\\')
            putchar('\\');
        putchar(*p);
    }
    puts("\",");
}

static void embed_file(const char *path, int index) {
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        exit(1);
    }
    printf("static const char *const lines_%d[] = {\n", index);
    char line[4096];
    while (fgets(line, sizeof(line), file))
        embed_line(line);
    puts("};\n");
    fclose(file);
}

int main(int argc, char **argv) {
    puts("#include \"gen/template.h\"\n");
    for (int i = 1; i < argc; i++)
        embed_file(argv[i], i);
    puts("const struct template templates[] = {");
    for (int i = 1; i < argc; i++) {
        const char *slash = strrchr(argv[i], '/');
        printf("    {\"%s\", lines_%d, sizeof(lines_%d) / sizeof(lines_%d[0])},\n", slash ? slash + 1 : argv[i], i, i,
               i);
    }
    puts("};\nconst size_t template_count = sizeof(templates) / sizeof(templates[0]);");
    return fflush(stdout) || ferror(stdout);
}
