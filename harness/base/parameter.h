/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_BASE_PARAMETER_H
#define HANGLAB_BASE_PARAMETER_H

#include "error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a parameter's text means, and the C type of its field. */
enum parameter_type {
	PARAMETER_STRING,   /* const char * */
	PARAMETER_PATH,	    /* const char *, absolute */
	PARAMETER_DURATION, /* int64_t nanoseconds */
	PARAMETER_SIZE,	    /* uint64_t bytes */
	PARAMETER_INTEGER,  /* int64_t */
	PARAMETER_BOOLEAN,  /* bool */
	PARAMETER_CHOICE,   /* int, index into choices */
	PARAMETER_CPUS,	    /* uint64_t, bit N stands for CPU N; "all" is all bits */
};

/**
 * struct parameter - one named value of a scenario, an injector, a workload ...
 * @name: key in the scenario file
 * @type: see enum parameter_type
 * @offset: of its field in the struct that the table describes
 * @required: it has no default
 * @fallback: text used when it is absent; NULL leaves the field zero
 * @least, @most: limits of a number in its own unit; both 0 for none
 * @choices: NULL-terminated words of a PARAMETER_CHOICE
 * @help: one line
 *
 * Tables end with an entry whose name is NULL. Parsing, range errors, --help and the check of
 * scenario files all read them.
 */
struct parameter {
	const char *name;
	enum parameter_type type;
	size_t offset;
	bool required;
	const char *fallback;
	int64_t least, most;
	const char *const *choices;
	const char *help;
};

/** parameter_find() - the entry called @name, or NULL */
const struct parameter *parameter_find(const struct parameter *table, const char *name);

/**
 * parameter_set() - parse a text into its field
 * @parameter: which
 * @text: the value; strings are not copied, the field points to it
 * @values: the struct that the table describes
 * @err: says what is allowed
 *
 * Return: 0, -EINVAL or -ERANGE.
 */
int parameter_set(const struct parameter *parameter, const char *text, void *values, struct hl_error *err);

/** parameters_set_defaults() - give every field that has a fallback that value; @values is zeroed by the
 * caller */
void parameters_set_defaults(const struct parameter *table, void *values);

/**
 * parameters_load() - defaults, then the texts of a JSON object
 * @table: what is known
 * @with: object of strings, or NULL; must outlive @values
 * @values: zeroed struct that the table describes
 *
 * Return: 0 or -EINVAL, -ERANGE with the name of the parameter in the message.
 */
int parameters_load(const struct parameter *table, const json_t *with, void *values, struct hl_error *err);

/**
 * parameter_describe() - what may stand there, for help texts: "duration from 1us to 1h, default 100ms"
 * @text: at least 256 bytes
 * @size: its size
 *
 * Return: @text.
 */
char *parameter_describe(const struct parameter *parameter, char *text, size_t size);

/** parameter_type_name() - "duration", "size" ... for help texts */
const char *parameter_type_name(enum parameter_type type);

#endif
