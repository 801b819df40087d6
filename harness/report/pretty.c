// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/report.h"
#include "report/summary.h"

#include <string.h>
#include <unistd.h>

#define MOST_FRAMES 12

struct colours {
	const char *pass, *fail, *other, *dim, *off;
};

static const struct colours *choose_colours(FILE *out)
{
	static const struct colours none = {"", "", "", "", ""};
	static const struct colours terminal = {"\033[1;32m", "\033[1;31m", "\033[1;33m", "\033[2m",
						"\033[0m"};

	return isatty(fileno(out)) && !getenv("NO_COLOR") ? &terminal : &none;
}

static const char *colour_of(const struct colours *colours, const char *verdict)
{
	if (!strcmp(verdict, "PASS"))
		return colours->pass;
	return !strcmp(verdict, "FAIL") ? colours->fail : colours->other;
}

static void print_headline(const json_t *result, const struct colours *colours, FILE *out)
{
	const char *verdict = result_text(result, "verdict");
	double wall = result_number(result, "wall_seconds"), guest = result_number(result, "guest_seconds");

	fprintf(out, "%s%s%s  %s", colour_of(colours, verdict), verdict, colours->off,
		result_text(result, "scenario"));
	if (wall > 0)
		fprintf(out, "  (%.1f s wall", wall);
	if (wall > 0 && guest > 0)
		fprintf(out, ", %.1f s in the guest", guest);
	if (wall > 0 && guest > wall)
		fprintf(out, ", %.0f times as fast", guest / wall);
	fprintf(out, "%s\n", wall > 0 ? ")" : "");
	if (strcmp(verdict, "PASS") != 0)
		fprintf(out, "  reason    %s\n", result_text(result, "reason"));
	fprintf(out, "  kernel    %s, QEMU %s, %s, %s time, seed %.0f\n", result_text(result, "kernel"),
		result_text(result, "qemu"), result_text(result, "accel"), result_text(result, "clock"),
		result_number(result, "seed"));
}

static void print_injection(const json_t *injection, FILE *out)
{
	bool released = json_object_get(injection, "released_at") != NULL;
	const char *evidence = result_text(injection, "evidence");

	fprintf(out, "  fault     %s at %.3f s, %s%s%s\n", result_text(injection, "injector"),
		result_number(injection, "injected_at"),
		json_is_true(json_object_get(injection, "confirmed")) ? "confirmed" : "NOT CONFIRMED",
		evidence[0] ? ": " : "", evidence);
	if (released)
		fprintf(out, "            released at %.3f s, %s: %s\n",
			result_number(injection, "released_at"),
			json_is_true(json_object_get(injection, "confirmed_released")) ? "confirmed"
										       : "NOT CONFIRMED",
			result_text(injection, "release_evidence"));
}

static void print_stack(const json_t *frames, const struct colours *colours, FILE *out)
{
	const json_t *frame;
	size_t i, printed = 0;

	json_array_foreach (frames, i, frame) {
		if (json_is_false(json_object_get(frame, "reliable")))
			continue;
		if (printed++ == MOST_FRAMES) {
			fprintf(out, "              %s...%s\n", colours->dim, colours->off);
			return;
		}
		fprintf(out, "              %s%s%s\n", colours->dim, result_text(frame, "function"),
			colours->off);
	}
}

static void print_event(const json_t *event, const struct colours *colours, FILE *out)
{
	fprintf(out, "            %s", result_text(event, "kind"));
	if (result_text(event, "comm")[0])
		fprintf(out, ": task %s:%.0f", result_text(event, "comm"), result_number(event, "pid"));
	if (result_number(event, "seconds") > 0)
		fprintf(out, ", %.0f s", result_number(event, "seconds"));
	if (result_text(event, "function")[0])
		fprintf(out, ", in %s", result_text(event, "function"));
	fputc('\n', out);
	print_stack(json_object_get(event, "frames"), colours, out);
}

static void print_check(const json_t *check, const struct colours *colours, FILE *out)
{
	const char *verdict = result_text(check, "verdict");
	const json_t *event = json_object_get(check, "event");

	fprintf(out, "  %s%-6s%s    %s: %s", colour_of(colours, verdict), verdict, colours->off,
		result_text(check, "check"), result_text(check, "reason"));
	if (json_object_get(check, "after") && !strcmp(verdict, "PASS"))
		fprintf(out, ", %.3f s after the fault", result_number(check, "after"));
	fputc('\n', out);
	if (event)
		print_event(event, colours, out);
}

static void print_workload(const json_t *workload, FILE *out)
{
	fprintf(out, "  workload  %s: %.0f acknowledged, longest stall %.3f s", result_text(workload, "name"),
		result_number(workload, "acknowledged"), result_number(workload, "longest_stall"));
	if (result_number(workload, "errors") > 0)
		fprintf(out, ", %.0f failed (%s)", result_number(workload, "errors"),
			result_text(workload, "first_error"));
	if (json_object_get(workload, "recovered_after"))
		fprintf(out, ", over %.3f s after the release", result_number(workload, "recovered_after"));
	if (json_object_get(workload, "checked"))
		fprintf(out, ", %.0f verified, %.0f lost", result_number(workload, "checked"),
			result_number(workload, "lost"));
	if (result_number(workload, "unsynced") > 0)
		fprintf(out, ", %.0f never synced and gone", result_number(workload, "unsynced"));
	fputc('\n', out);
}

static void print_checksum(const json_t *checksum, FILE *out)
{
	const char *guest = result_text(checksum, "guest"), *host = result_text(checksum, "host");

	fprintf(out, "  disk      %s: guest and host %s, SHA-256 %.16s", result_text(checksum, "disk"),
		strcmp(guest, host) ? "DIFFER" : "agree", guest);
	if (strcmp(guest, host) != 0)
		fprintf(out, " and %.16s", host);
	fputc('\n', out);
}

static void print_disk_state(const json_t *disk, FILE *out)
{
	static const char *const words[] = {"state", "session", "host"};

	fprintf(out, "            disk %s: %s, %.0f reads and %.0f writes in flight",
		result_text(disk, "disk"), result_text(disk, "below"), result_number(disk, "reads_in_flight"),
		result_number(disk, "writes_in_flight"));
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (result_text(disk, words[i])[0])
			fprintf(out, ", %s %s", words[i], result_text(disk, words[i]));
	fprintf(out, "%s\n", json_is_true(json_object_get(disk, "suspended")) ? ", suspended" : "");
}

/* The stacks are in the result. */
static void print_sysrq(const json_t *sysrq, FILE *out)
{
	const json_t *item;
	size_t i;

	fprintf(out, "  sysrq     %s at %.3f s: the report is in kmsg.log, %zu tasks are blocked\n",
		result_text(sysrq, "key"), result_number(sysrq, "at"),
		json_array_size(json_object_get(sysrq, "tasks")));
	json_array_foreach (json_object_get(sysrq, "tasks"), i, item)
		fprintf(out, "            task %s:%.0f: %s, in %s\n", result_text(item, "comm"),
			result_number(item, "pid"), result_text(item, "layer"),
			result_text(item, "function"));
	json_array_foreach (json_object_get(sysrq, "disks"), i, item)
		print_disk_state(item, out);
}

static void print_wait(const json_t *wait, FILE *out)
{
	const char *workload = result_text(wait, "workload");

	fprintf(out, "  waits     %s %s: %s, in %s\n", workload[0] ? "workload" : "task",
		workload[0] ? workload : result_text(wait, "task"), result_text(wait, "layer"),
		result_text(wait, "function"));
}

/* What to do about it: the fix, and where it is. */
static void print_bug(const json_t *bug, FILE *out)
{
	const char *cve = result_text(bug, "cve");
	const json_t *version;
	size_t i;

	if (!bug)
		return;
	fprintf(out, "  fix       \"%s\"%s%s\n", result_text(bug, "title"), cve[0] ? ", " : "", cve);
	json_array_foreach (json_object_get(bug, "fixed"), i, version)
		fprintf(out, "%s%s", i ? ", " : "            fixed in ", json_string_value(version));
	if (json_array_size(json_object_get(bug, "fixed")))
		fputc('\n', out);
}

static void print_result(const json_t *result, const struct colours *colours, FILE *out)
{
	const json_t *item;
	size_t i;

	print_headline(result, colours, out);
	json_array_foreach (json_object_get(result, "injections"), i, item)
		print_injection(item, out);
	json_array_foreach (json_object_get(result, "checks"), i, item)
		print_check(item, colours, out);
	json_array_foreach (json_object_get(result, "workloads"), i, item)
		print_workload(item, out);
	json_array_foreach (json_object_get(result, "checksums"), i, item)
		print_checksum(item, out);
	if (!strcmp(result_text(result, "verdict"), "FAIL"))
		print_bug(json_object_get(result, "bug"), out);
	json_array_foreach (json_object_get(result, "waits"), i, item)
		print_wait(item, out);
	json_array_foreach (json_object_get(result, "sysrq"), i, item)
		print_sysrq(item, out);
	if (result_text(result, "folder")[0])
		fprintf(out, "  folder    %s\n", result_text(result, "folder"));
}

static void print(const json_t *results, FILE *out)
{
	const struct colours *colours = choose_colours(out);
	json_t *printable = results_printable(results), *result;
	size_t i;

	json_array_foreach (printable, i, result) {
		if (i)
			fputc('\n', out);
		print_result(result, colours, out);
	}
	if (json_array_size(printable) > 1)
		summary_print(printable, out);
	json_decref(printable);
}

const struct report_format report_pretty = {.name = "pretty", .live = true, .print = print};
