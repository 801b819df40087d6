// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/inject.h"

#include <string.h>

#define INJECTOR(name) extern const struct injector injector_##name;
#include "inject/list.def"
#undef INJECTOR

static const struct injector *const injectors[] = {
#define INJECTOR(name) &injector_##name,
#include "inject/list.def"
#undef INJECTOR
	NULL,
};

const struct injector *const *injector_list(void)
{
	return injectors;
}

const struct injector *injector_find(const char *name)
{
	for (size_t i = 0; injectors[i]; i++)
		if (!strcmp(injectors[i]->name, name))
			return injectors[i];
	return NULL;
}
