/* Compares an implementation of modern.update in C with golden vectors.

     hopref vectors export --op modern.update --out rows.jsonl
     cc -O2 -o modern_update modern_update.c -lm && ./modern_update rows.jsonl

   A row is a line of JSON; its numbers are hexadecimal floats in strings, which strtod reads. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 1024

struct array { int axes, shape[8], count; double data[MOST]; };

/* ---- what is judged: one retrieval step, patterns are the rows of X ------------------------- */

static void update(const double *xi, const double *X, int n, int d, double beta, double *result) {
    double scores[MOST], top = -INFINITY, total = 0;
    for (int i = 0; i < n; i++) {
        scores[i] = 0;
        for (int j = 0; j < d; j++) scores[i] += X[i * d + j] * xi[j];
        if (scores[i] > top) top = scores[i];
    }
    for (int j = 0; j < d; j++) result[j] = 0;
    for (int i = 0; i < n; i++) {
        double p = exp(beta * (scores[i] - top));
        total += p;
        for (int j = 0; j < d; j++) result[j] += p * X[i * d + j];
    }
    for (int j = 0; j < d; j++) result[j] /= total;
}

/* ---- the reader ----------------------------------------------------------------------------- */

static const char *after(const char *text, const char *key) {
    const char *at = text ? strstr(text, key) : NULL;
    return at ? at + strlen(key) : NULL;
}

static int numbers(const char *at, double *data) {          /* of ["0x1p+0","nan",...] */
    int count = 0;
    while (at && *at != ']' && count < MOST) {
        char *end;
        data[count++] = strtod(strchr(at, '"') + 1, &end);
        at = end + 1;
    }
    return count;
}

static int array(const char *line, const char *name, struct array *found) {
    char key[64];
    snprintf(key, sizeof key, "\"%s\":{\"dtype\":", name);
    const char *at = after(after(line, key), "\"shape\":[");
    if (!at) return 0;
    for (found->axes = 0; *at != ']' && found->axes < 8; at += *at == ',') {
        char *end;
        found->shape[found->axes++] = (int)strtol(at, &end, 10);
        at = end;
    }
    found->count = numbers(after(at, "\"data\":["), found->data);
    return 1;
}

int main(int count, char **words) {
    FILE *file = count == 2 ? fopen(words[1], "r") : NULL;
    if (!file) return fprintf(stderr, "usage: modern_update rows.jsonl\n"), 2;
    static struct array xi, X;
    static double value[MOST], bound[MOST], tolerance[MOST], result[MOST];
    char *line = NULL;
    size_t capacity = 0;
    int rows = 0, failures = 0;
    while (getline(&line, &capacity, file) > 0) {
        const char *found = after(line, "\"results\":["), *beta;
        if (!found || strstr(found, "\"limit\":true")) continue;   /* invalid call, or overflow */
        if (!array(line, "xi", &xi) || !array(line, "X", &X)) return 2;
        beta = after(line, "\"beta\":{\"dtype\":\"float64\",\"value\":\"");
        int n = X.shape[0], d = X.shape[1], wrong = 0;
        int size = numbers(after(found, "\"value\":["), value);
        numbers(after(found, "\"bound\":["), bound);
        numbers(after(found, "\"tolerance\":["), tolerance);
        for (int i = 0; i < size; i += d)
            update(xi.data + i, X.data, n, d, beta ? strtod(beta, NULL) : 1.0, result + i);
        for (int i = 0; i < size; i++)
            wrong |= !(fabs(result[i] - value[i]) <= bound[i] + tolerance[i]);
        rows++;
        failures += wrong;
        if (wrong) fprintf(stderr, "fails: %.*s\n", 120, line);
    }
    printf("modern.update in C: %d rows, %d fail\n", rows, failures);
    return rows == 0 || failures > 0;
}
