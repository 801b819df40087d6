// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * From the command to the end of a guest that booted and ran one command, beside virtme-ng's: the same
 * kernel, the same number of CPUs, the same memory, no KVM for either. virtme-ng boots into the host's own
 * file system.
 */
#include "common/measure.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "vm-images/kernel_store.h"

#include <stdio.h>

#define ROUNDS 3
#define KERNEL "debian:amd64" /* the cloud kernel has no 9p, which virtme-ng needs */

static double median_of_hanglab(void)
{
	static const char *const arguments[] = {"--kernel", KERNEL, "tests/bench/boot.yaml", NULL};
	double walls[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		struct sample sample;

		if (!measure_run(arguments, &sample))
			target_missed("tests/bench/boot.yaml did not pass");
		walls[i] = sample.wall;
		sample_free(&sample);
	}
	return measure_median(walls, ROUNDS);
}

static double median_of_virtme(const struct kernel *kernel)
{
	const char *const arguments[] = {"vng",	  "--disable-kvm", "--cpus", "2",    "--memory", "512M",
					 "--run", kernel->vmlinuz, "--",     "true", NULL};
	cleanup_free char *output = file_path("%s/virtme", measure_folder());
	double walls[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		struct sample sample;

		if (measure_command(arguments, output, &sample))
			target_missed("vng failed");
		walls[i] = sample.wall;
	}
	return measure_median(walls, ROUNDS);
}

static bool has_virtme(void)
{
	static const char *const arguments[] = {"vng", "--version", NULL};
	cleanup_free char *output = file_path("%s/version", measure_folder());
	struct sample sample;

	return !measure_command(arguments, output, &sample);
}

int main(void)
{
	struct hl_error err = HL_ERROR_INIT;
	struct kernel *kernel = NULL;
	double hanglab, virtme;

	if (!has_virtme()) {
		printf("boot: SKIP: there is no virtme-ng, which Debian has since 13: make deps-dev\n");
		return 0;
	}
	if (kernel_store_find(KERNEL, &kernel, &err)) {
		printf("boot: SKIP: %s\n", err.text);
		return 0;
	}
	hanglab = median_of_hanglab();
	virtme = median_of_virtme(kernel);
	printf("boot, one command, power off: median of %d\n", ROUNDS);
	printf("  hanglab %.2f s, virtme-ng %.2f s\n", hanglab, virtme);
	target("times as fast as virtme-ng", virtme / hanglab, ">=", 1);
	kernel_free(kernel);
	return targets_status();
}
