// SPDX-License-Identifier: GPL-2.0-or-later
#include "parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* iSCSI, block devices and file systems. Most of these are one line. */

/*
 * drivers/scsi/libiscsi and include/scsi/iscsi_if.h number the errors; open-iscsi's texts for them differ
 * from version to version ("Invalid or unknown error code").
 */
static const struct {
	int number;
	const char *name;
} iscsi_errors[] = {
	{1001, "ISCSI_ERR_DATASN"},
	{1002, "ISCSI_ERR_DATA_OFFSET"},
	{1003, "ISCSI_ERR_MAX_CMDSN"},
	{1004, "ISCSI_ERR_EXP_CMDSN"},
	{1005, "ISCSI_ERR_BAD_OPCODE"},
	{1006, "ISCSI_ERR_DATALEN"},
	{1007, "ISCSI_ERR_AHSLEN"},
	{1008, "ISCSI_ERR_PROTO"},
	{1009, "ISCSI_ERR_LUN"},
	{1010, "ISCSI_ERR_BAD_ITT"},
	{1011, "ISCSI_ERR_CONN_FAILED"},
	{1012, "ISCSI_ERR_R2TSN"},
	{1013, "ISCSI_ERR_SESSION_FAILED"},
	{1014, "ISCSI_ERR_HDR_DGST"},
	{1015, "ISCSI_ERR_DATA_DGST"},
	{1016, "ISCSI_ERR_PARAM_NOT_FOUND"},
	{1017, "ISCSI_ERR_NO_SCSI_CMD"},
	{1018, "ISCSI_ERR_INVALID_HOST"},
	{1019, "ISCSI_ERR_XMIT_FAILED"},
	{1020, "ISCSI_ERR_TCP_CONN_CLOSE"},
	{1021, "ISCSI_ERR_SCSI_EH_SESSION_RST"},
	{1022, "ISCSI_ERR_NOP_TIMEDOUT"},
};

static void take_iscsi_error(struct report *report, unsigned long long number)
{
	report_field_integer(report, "error", (long long)number);
	for (size_t i = 0; i < sizeof(iscsi_errors) / sizeof(*iscsi_errors); i++)
		if (iscsi_errors[i].number == (int)number)
			report_field_text(report, "error_name", iscsi_errors[i].name,
					  strlen(iscsi_errors[i].name));
}

/* "Kernel reported iSCSI connection 1:0 error (1022 - ...) state (3)" */
static bool iscsid_error_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *connection = anchor + strlen("Kernel reported iSCSI connection ");
	size_t length = strspn(connection, "0123456789:");
	const char *error = parse_starts(connection + length, " error (");
	const char *state;
	unsigned long long number;

	(void)line;
	if (!length || !error || !parse_number(error, &number))
		return false;
	report_field_text(report, "connection", connection, length);
	take_iscsi_error(report, number);
	state = parse_after(error, "state (");
	if (state && parse_number(state, &number))
		report_field_integer(report, "state", (long long)number);
	report->what = "iSCSI connection error";
	return true;
}

const struct report_parser parser_iscsid_error = {.begin = iscsid_error_begin};

/* "connection1:0: " in front of the kernel's own messages */
static bool take_connection(struct report *report, const struct line *line)
{
	const char *name = parse_after(line->text, "connection");
	size_t length = name ? strspn(name, "0123456789:") : 0;

	if (length < 3 || name[length - 1] != ':')
		return false;
	report_field_text(report, "connection", name, length - 1);
	return true;
}

static bool iscsi_conn_error_begin(struct report *report, const struct line *line, const char *anchor)
{
	unsigned long long number;

	if (!parse_number(anchor + strlen("detected conn error ("), &number) ||
	    !take_connection(report, line))
		return false;
	take_iscsi_error(report, number);
	report->what = "iSCSI connection error";
	return true;
}

const struct report_parser parser_iscsi_conn_error = {.begin = iscsi_conn_error_begin};

static bool iscsi_ping_begin(struct report *report, const struct line *line, const char *anchor)
{
	unsigned long long seconds;

	if (!parse_number(anchor + strlen(": ping timeout of "), &seconds) || !take_connection(report, line))
		return false;
	report->event.seconds = (double)seconds;
	report->what = "iSCSI ping timeout";
	return true;
}

const struct report_parser parser_iscsi_ping = {.begin = iscsi_ping_begin};

static bool iscsi_recovery_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *session = parse_after(line->text, "session");
	unsigned long long seconds;

	if (!parse_number(anchor + strlen("session recovery timed out after "), &seconds))
		return false;
	if (session && isdigit((unsigned char)*session))
		report_field_integer(report, "session", atoi(session));
	report->event.seconds = (double)seconds;
	report->what = "iSCSI session recovery timed out";
	return true;
}

const struct report_parser parser_iscsi_recovery = {.begin = iscsi_recovery_begin};

/*
 * block/blk-core.c: "end_request: I/O error, dev sdb, sector 2048", "print_req_error: critical medium
 * error, dev sda, sector 7", "blk_update_request: I/O error, dev vda, sector 1 op 0x0:(READ) ..."
 */
static bool io_error_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *device = parse_after(anchor, " error, dev ");
	const char *sector = device ? parse_after(device, ", sector ") : NULL;
	const char *operation = sector ? parse_after(sector, ":(") : NULL;
	const char *name = line->text;
	unsigned long long number;

	if (!sector || !parse_number(sector, &number))
		return false;
	report_field_text(report, "device", device, strcspn(device, ", "));
	report_field_integer(report, "sector", (long long)number);
	if (operation)
		report_field_text(report, "operation", operation, strcspn(operation, ")"));
	for (const char *colon = strstr(name, ": "); colon && colon < device; colon = strstr(name, ": "))
		name = colon + 2;
	report->what = report_text(report, name, (size_t)(device - strlen(", dev ") - name));
	return true;
}

const struct report_parser parser_io_error = {.begin = io_error_begin};

/* "Buffer I/O error on dev vda, logical block 256, lost async page write", 2.6.32: "on device sdb, ..." */
static bool buffer_io_error_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *device = anchor + strlen("Buffer I/O error on dev");
	const char *block;
	unsigned long long number;

	(void)line;
	if (parse_starts(device, "ice"))
		device += 3;
	block = parse_after(device, ", logical block ");
	if (*device != ' ' || !block || !parse_number(block, &number))
		return false;
	report_field_text(report, "device", device + 1, strcspn(device + 1, ", "));
	report_field_integer(report, "block", (long long)number);
	report->what = "buffer I/O error";
	return true;
}

const struct report_parser parser_buffer_io_error = {.begin = buffer_io_error_begin};

/* "EXT4-fs error (device sda1): ext4_find_entry:1455: ..." */
static bool fs_error_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *device = anchor + strlen("-fs error (device ");
	const char *end = strstr(device, "): ");
	const char *start = anchor;
	size_t length;

	while (start > line->text && (isalnum((unsigned char)start[-1]) || start[-1] == '_'))
		start--;
	if (!end || start == anchor)
		return false;
	report_field_text(report, "fs", start, (size_t)(anchor - start));
	report_field_text(report, "device", device, (size_t)(end - device));
	length = parse_function(end + 3);
	if (length)
		report->culprit = report_text(report, end + 3, length);
	report->what = report_text(report, start, strlen("-fs error") + (size_t)(anchor - start));
	return true;
}

const struct report_parser parser_fs_error = {.begin = fs_error_begin};

static bool fs_journal_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *device = anchor + strlen("Aborting journal on device ");

	if (!parse_at_start(line, anchor))
		return false;
	report_field_text(report, "device", device, strcspn(device, ". :"));
	report->what = "journal aborted";
	return true;
}

const struct report_parser parser_fs_journal = {.begin = fs_journal_begin};

/* "JBD2: Detected IO errors while flushing file data on dm-2-8": written data is lost */
static bool journal_flush_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *device = anchor + strlen(report->signature->anchor);

	if (!parse_starts(line->text, "JBD"))
		return false;
	report_field_text(report, "device", device, strcspn(device, ". :"));
	report->what = "journal lost file data";
	return true;
}

const struct report_parser parser_journal_flush = {.begin = journal_flush_begin};

static bool fs_readonly_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *device = parse_after(line->text, "-fs (");

	if (!device || device > anchor || (anchor[-1] != 'R' && anchor[-1] != 'r'))
		return false;
	report_field_text(report, "device", device, strcspn(device, ") "));
	report->what = "file system remounted read-only";
	return true;
}

const struct report_parser parser_fs_readonly = {.begin = fs_readonly_begin};

static bool take_xfs_device(struct report *report, const struct line *line)
{
	const char *device = parse_after(line->text, "XFS (");

	if (!device || !strchr(device, ')'))
		return false;
	report_field_text(report, "fs", "XFS", 3);
	report_field_text(report, "device", device, strcspn(device, ")"));
	return true;
}

static bool xfs_shutdown_begin(struct report *report, const struct line *line, const char *anchor)
{
	(void)anchor;
	if (!take_xfs_device(report, line))
		return false;
	report->what = "XFS shut down";
	return true;
}

const struct report_parser parser_xfs_shutdown = {.begin = xfs_shutdown_begin};

static bool xfs_metadata_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *at = parse_after(anchor, " at ");
	size_t length = at ? parse_function(at) : 0;

	if (!take_xfs_device(report, line))
		return false;
	if (length && at[length] == '+')
		report->culprit = report_text(report, at, length);
	report->what = "XFS metadata error";
	return true;
}

const struct report_parser parser_xfs_metadata = {.begin = xfs_metadata_begin};

/* A device's own message; the device is the word in front of ": ". */
static void take_device(struct report *report, const struct line *line)
{
	const char *colon = strstr(line->text, ": ");
	const char *device = colon;

	if (!colon)
		return;
	while (device > line->text && device[-1] != ' ')
		device--;
	report_field_text(report, "device", device, (size_t)(colon - device));
}

static bool device_message_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *colon = strstr(line->text, ": ");

	if (!colon || colon > anchor + strlen(report->signature->anchor))
		return false;
	take_device(report, line);
	report->what = report_stable(report, "", colon + 2);
	report->whole_title = true;
	return true;
}

const struct report_parser parser_device_message = {.begin = device_message_begin};

/* The daemon has other words for it. */
static bool multipath_begin(struct report *report, const struct line *line, const char *anchor)
{
	return parse_starts(line->text, "device-mapper: ") && device_message_begin(report, line, anchor);
}

const struct report_parser parser_multipath = {.begin = multipath_begin};

/* "nvme nvme0: I/O 89 (I/O Cmd) QID 1 timeout, aborting" and its variants of every kernel */
static bool nvme_timeout_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *action = strchr(anchor, ',');
	const char *queue = parse_after(line->text, "QID ");
	const char *end;

	if (!strstr(line->text, "nvme") || !action)
		return false;
	take_device(report, line);
	if (queue)
		report_field_integer(report, "queue", atoi(queue));
	action += 2;
	end = strstr(action, " req_op");
	report->what = report_stable(
		report, "NVMe timeout: ",
		report_text(report, action, end ? (size_t)(end - action) : parse_trimmed(action)));
	report->whole_title = true;
	return true;
}

const struct report_parser parser_nvme_timeout = {.begin = nvme_timeout_begin};

/* "sd 0:0:0:0: [sda] tag#183 FAILED Result: hostbyte=DID_TIME_OUT driverbyte=DRIVER_OK cmd_age=8s" */
static bool scsi_result_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *host = anchor + strlen("Result: hostbyte=");
	const char *driver = parse_after(host, "driverbyte=");
	const char *name = parse_after(line->text, "[");
	size_t length = strcspn(host, " ");

	if (!driver || !name || name > anchor)
		return false;
	report_field_text(report, "device", name, strcspn(name, "]"));
	report_field_text(report, "hostbyte", host, length);
	report_field_text(report, "driverbyte", driver, strcspn(driver, " "));
	report->what = report_stable(report, "SCSI command failed: ", report_text(report, host, length));
	report->whole_title = true;
	return true;
}

const struct report_parser parser_scsi_result = {.begin = scsi_result_begin};

/* "ata1.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x6 frozen": frozen means that a command timed out
 */
static bool ata_begin(struct report *report, const struct line *line, const char *anchor)
{
	size_t length = strcspn(line->text, ":");

	if (!parse_starts(line->text, "ata") || line->text + length > anchor)
		return false;
	report_field_text(report, "device", line->text, length);
	if (strstr(anchor, " frozen"))
		report->event.kind = HL_EVENT_BLOCK_TIMEOUT;
	report->what = report->event.kind == HL_EVENT_BLOCK_TIMEOUT ? "ATA command timed out" : "ATA error";
	report->whole_title = true;
	return true;
}

const struct report_parser parser_ata = {.begin = ata_begin};

/* "block nbd0: Possible stuck request 000000001106b06c: control (write@2273280,122880B). Runtime 30 seconds"
 */
static bool nbd_stuck_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *seconds = parse_after(anchor, "Runtime ");
	unsigned long long value;

	take_device(report, line);
	if (!seconds || !parse_number(seconds, &value))
		return false;
	report->event.seconds = (double)value;
	report->what = "nbd request stuck";
	return true;
}

const struct report_parser parser_nbd_stuck = {.begin = nbd_stuck_begin};

/* Messages that only count for nbd: "block nbd0: Connection timed out" */
static bool nbd_message_begin(struct report *report, const struct line *line, const char *anchor)
{
	return parse_starts(line->text, "block nbd") && device_message_begin(report, line, anchor);
}

const struct report_parser parser_nbd_message = {.begin = nbd_message_begin};

/* "null_blk: rq 0000000096b32ffd timed out" */
static bool request_timeout_begin(struct report *report, const struct line *line, const char *anchor)
{
	if (!parse_starts(line->text, "null_blk") || !strstr(anchor, " timed out"))
		return false;
	report_field_text(report, "device", "null_blk", 8);
	report->what = "request timed out";
	return true;
}

const struct report_parser parser_request_timeout = {.begin = request_timeout_begin};

/*
 * "BTRFS error (device sda1 state EA): ...", "BTRFS: error (device sda1) in f:12: errno=-5 IO failure",
 * "FAT-fs (loop0): error, ...", "exFAT-fs (loop0): error, The cluster chain has a loop"
 */
static bool fs_message_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *device = strchr(line->text, '(');
	const char *message;

	if (!device || !strchr(device, ')') ||
	    (!parse_starts(line->text, "BTRFS") &&
	     memmem(line->text, (size_t)(device - line->text), "-fs ", 4) == NULL))
		return false;
	message = strchr(device, ')') + 1;
	message += strspn(message, ": ");
	device = parse_starts(device, "(device ") ? device + strlen("(device ") : device + 1;
	if (!parse_at_start(line, anchor) && !strstr(anchor, "error, "))
		return false;
	report_field_text(report, "fs", line->text, strcspn(line->text, " :-"));
	report_field_text(report, "device", device, strcspn(device, ") "));
	report->what = report_stable(report, "", report_text(report, message, parse_trimmed(message)));
	report->whole_title = true;
	return true;
}

const struct report_parser parser_fs_message = {.begin = fs_message_begin};

/* "EXT4-fs warning (device vda): ext4_end_bio:343: I/O error 10 writing to inode 12": other warnings are
 * harmless */
static bool fs_warning_begin(struct report *report, const struct line *line, const char *anchor)
{
	const char *device = anchor + strlen("-fs warning (device ");
	const char *end = strstr(device, "): ");
	size_t length;

	if (!end || !strstr(end, "I/O error"))
		return false;
	report_field_text(report, "fs", line->text, (size_t)(anchor - line->text));
	report_field_text(report, "device", device, (size_t)(end - device));
	length = parse_function(end + 3);
	if (length)
		report->culprit = report_text(report, end + 3, length);
	report->what = "I/O error in a file system";
	return true;
}

const struct report_parser parser_fs_warning = {.begin = fs_warning_begin};
