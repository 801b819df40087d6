// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pcie-aer: a PCIe root port reports an uncorrectable error (advanced error reporting), and the kernel tries
 * to recover the device. QEMU's monitor command pcie_aer_inject_error says OK to everything, also to
 * correctable errors, which it then drops (measured): only the kernel's message confirms.
 */
#include "inject/vm_console.h"

#include <stddef.h>
#include <stdio.h>

/* Words of the PCIe base specification, 7.8.4.2, and QEMU's names for them (hw/pci/pci-hmp-cmds.c). */
static const char *const errors[] = {"completion_timeout",    "completer_abort",
				     "unexpected_completion", "poisoned_tlp",
				     "unsupported_request",   "data_link_protocol",
				     "flow_control_protocol", "receiver_overflow",
				     "malformed_tlp",	      NULL};
static const char *const qemu_names[] = {"COMP_TIME", "COMP_ABORT", "UNX_COMP", "POISON_TLP", "UNSUP",
					 "DLP",	      "FCP",	    "RX_OVER",	"MALF_TLP"};

/** struct pcie_aer_parameters - parameters; @error indexes errors[] */
struct pcie_aer_parameters {
	int error;
};

static const struct parameter parameters[] = {
	{.name = "error",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct pcie_aer_parameters, error),
	 .fallback = "completion_timeout",
	 .choices = errors,
	 .help = "the last four are fatal to the link, the others are not"},
	{.name = NULL},
};

static int pcie_aer_inject(struct injection *injection, struct hl_error *err)
{
	const struct pcie_aer_parameters *given = injection->parameters;
	char command[80];

	snprintf(command, sizeof(command), "pcie_aer_inject_error port0 %s", qemu_names[given->error]);
	return vm_monitor(injection, command, err);
}

static int pcie_aer_confirm(struct injection *injection, struct hl_error *err)
{
	static const char *const texts[] = {"AER: Uncorrect", "AER: Multiple Uncorrect", NULL};

	return vm_console_confirm(injection, texts, err);
}

static const char *const config[] = {"PCIEAER", NULL};

const struct injector injector_pcie_aer = {
	.name = "pcie-aer",
	.summary = "a PCIe root port reports an uncorrectable error (AER), which the kernel tries to recover",
	.help = "The VM gets a root port at 0000:00:03.0 with nothing behind it.\n"
		"Confirmed by the kernel's message. An event: there is nothing to release.\n",
	.side = INJECTOR_HOST,
	.proved_later = true,
	.parameters = parameters,
	.parameters_size = sizeof(struct pcie_aer_parameters),
	.needs = {.config = config, .vm_features = VM_ROOT_PORT},
	.inject = pcie_aer_inject,
	.confirm = pcie_aer_confirm,
	.release = vm_nothing_to_release,
	.confirm_released = vm_nothing_to_release,
};
