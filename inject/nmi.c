// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nmi: a non-maskable interrupt without a cause, as from the NMI button of a server or from hardware that
 * nobody owns up to. Confirmed by what the kernel says about it (arch/x86/kernel/nmi.c).
 */
#include "inject/vm_console.h"

static int nmi_inject(struct injection *injection, struct hl_error *err)
{
	return injection->vm->qmp(injection->vm->vm, "inject-nmi", NULL, NULL, err);
}

static int nmi_confirm(struct injection *injection, struct hl_error *err)
{
	static const char *const texts[] = {"NMI received for unknown reason", "NMI: Not continuing", NULL};

	return vm_console_confirm(injection, texts, err);
}

const struct injector injector_nmi = {
	.name = "nmi",
	.summary = "a non-maskable interrupt without a known cause",
	.help = "The kernel complains and goes on; with the sysctl kernel.unknown_nmi_panic=1 it panics.\n"
		"Confirmed by its message. An event: there is nothing to release.\n",
	.side = INJECTOR_HOST,
	.proved_later = true,
	.inject = nmi_inject,
	.confirm = nmi_confirm,
	.release = vm_nothing_to_release,
	.confirm_released = vm_nothing_to_release,
};
