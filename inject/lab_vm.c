// SPDX-License-Identifier: GPL-2.0-or-later
#include "inject/lab_vm.h"

#include <stdbool.h>

static bool inside;

void lab_vm_entered(void)
{
	inside = true;
}

int lab_vm_require(struct hl_error *err)
{
	return inside ? 0 : hl_error_set(err, EPERM, "this injector runs inside a lab VM only");
}
