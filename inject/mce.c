// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mce: a machine check exception, or an error that the CPU has corrected, in a register bank of a vCPU
 * (QEMU's monitor command mce). Status words: Intel SDM 3B, 16.3.2.2; those below were seen to be taken by
 * Linux 6.1 on Intel CPU models. Confirmed by what the kernel says (arch/x86/kernel/cpu/mce/core.c).
 */
#include "inject/vm_console.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum mce_severity { MCE_CORRECTED, MCE_RECOVERABLE, MCE_FATAL };

static const char *const severities[] = {"corrected", "recoverable", "fatal", NULL};

/* IA32_MCi_STATUS and IA32_MCG_STATUS; misc: the address is physical, and exact to a page. */
static const struct {
	uint64_t status, mcg_status;
} presets[] = {
	[MCE_CORRECTED] = {0x9c00000000000136, 0},   /* EN, MISCV, ADDRV: L3 read, no exception */
	[MCE_RECOVERABLE] = {0xbd000000000000c0, 5}, /* SRAO: found by the patrol scrubber */
	[MCE_FATAL] = {0xbe00000000000136, 4},	     /* UC, PCC: the processor's context is corrupt */
};

#define MISC 0x8c

/**
 * struct mce_parameters - parameters
 * @status, @mcg_status: hexadecimal, or NULL for those of @severity
 */
struct mce_parameters {
	int severity;
	int64_t cpu, bank, address;
	bool broadcast;
	const char *status, *mcg_status;
};

static const struct parameter parameters[] = {
	{.name = "severity",
	 .type = PARAMETER_CHOICE,
	 .offset = offsetof(struct mce_parameters, severity),
	 .fallback = "fatal",
	 .choices = severities,
	 .help = "corrected (logged by the next poll, every 5 minutes), recoverable, fatal"},
	{.name = "cpu",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct mce_parameters, cpu),
	 .fallback = "0",
	 .least = 0,
	 .most = 63,
	 .help = "vCPU whose bank has the error"},
	{.name = "bank",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct mce_parameters, bank),
	 .fallback = "9",
	 .least = 0,
	 .most = 9,
	 .help = "register bank"},
	{.name = "address",
	 .type = PARAMETER_INTEGER,
	 .offset = offsetof(struct mce_parameters, address),
	 .fallback = "0x12345000",
	 .least = 0,
	 .most = INT64_MAX,
	 .help = "physical address of the error"},
	{.name = "broadcast",
	 .type = PARAMETER_BOOLEAN,
	 .offset = offsetof(struct mce_parameters, broadcast),
	 .fallback = "true",
	 .help = "every CPU takes the exception, as on Intel; without it the kernel waits for the\nothers"},
	{.name = "status",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct mce_parameters, status),
	 .help = "IA32_MCi_STATUS in hexadecimal; default: by severity"},
	{.name = "mcg_status",
	 .type = PARAMETER_STRING,
	 .offset = offsetof(struct mce_parameters, mcg_status),
	 .help = "IA32_MCG_STATUS in hexadecimal; default: by severity"},
	{.name = NULL},
};

static int parse_word(const char *text, uint64_t preset, uint64_t *word, struct hl_error *err)
{
	char *end;

	*word = preset;
	if (!text)
		return 0;
	errno = 0;
	*word = strtoull(text, &end, 16);
	return end == text || *end || errno
		       ? hl_error_set(err, EINVAL, "'%s' is not a 64-bit word in hexadecimal", text)
		       : 0;
}

static int words_of(const struct mce_parameters *given, uint64_t *status, uint64_t *mcg_status,
		    struct hl_error *err)
{
	int r = parse_word(given->status, presets[given->severity].status, status, err);

	return r ? r : parse_word(given->mcg_status, presets[given->severity].mcg_status, mcg_status, err);
}

static int mce_check(const void *given, struct hl_error *err)
{
	uint64_t status, mcg_status;

	return words_of(given, &status, &mcg_status, err);
}

static int mce_inject(struct injection *injection, struct hl_error *err)
{
	const struct mce_parameters *given = injection->parameters;
	uint64_t status, mcg_status;
	char command[160];
	int r = words_of(given, &status, &mcg_status, err);

	if (r)
		return r;
	/* A corrected error raises no exception that could be broadcast. */
	snprintf(command, sizeof(command),
		 "mce %s%" PRId64 " %" PRId64 " 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 " 0x%x",
		 given->broadcast && given->severity != MCE_CORRECTED ? "-b " : "", given->cpu, given->bank,
		 status, mcg_status, (uint64_t)given->address, MISC);
	return vm_monitor(injection, command, err);
}

static int mce_confirm(struct injection *injection, struct hl_error *err)
{
	static const char *const texts[] = {
		"Machine Check", "Machine check", "Memory failure:", "machine check", "MCE broadcast", NULL};

	return vm_console_confirm(injection, texts, err);
}

static const char *const config[] = {"X86_MCE", NULL};

const struct injector injector_mce = {
	.name = "mce",
	.summary = "a machine check: a corrected, recoverable or fatal error that a CPU reports",
	.help = "Needs an Intel CPU model, vm: {cpu: Skylake-Server}, and a kernel with CONFIG_X86_MCE "
		"(debian:amd64\n"
		"has it, the cloud kernel has not). Confirmed by the kernel's message; a corrected error is "
		"seen by\n"
		"its next poll, within 5 minutes. An event: there is nothing to release.\n",
	.side = INJECTOR_HOST,
	.proved_later = true,
	.parameters = parameters,
	.parameters_size = sizeof(struct mce_parameters),
	.needs = {.config = config},
	.check = mce_check,
	.inject = mce_inject,
	.confirm = mce_confirm,
	.release = vm_nothing_to_release,
	.confirm_released = vm_nothing_to_release,
};
