// SPDX-License-Identifier: GPL-2.0-or-later
#include "line.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * A prefix is recognised line by line, because logs are pasted together from several sources. The
 * strippers below each take the text at their cursor and return the text behind what they know, or
 * the cursor unchanged.
 */

static bool digits(const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!isdigit((unsigned char)text[i]))
			return false;
	return true;
}

static const char *skip_spaces(const char *text)
{
	while (*text == ' ' || *text == '\t')
		text++;
	return text;
}

/* "> " and ">> " of mails. A lone '>' ends nothing useful in kernel messages, so it can go too. */
static const char *skip_quotes(const char *text)
{
	while (*text == '>') {
		text++;
		if (*text == ' ')
			text++;
	}
	return text;
}

/* "<4>", as /proc/kmsg and old serial consoles print the level. */
static const char *skip_level(const char *text)
{
	const char *end = text + 1;

	if (*text != '<' || !isdigit((unsigned char)*end))
		return text;
	while (isdigit((unsigned char)*end) && end - text < 5)
		end++;
	return *end == '>' ? end + 1 : text;
}

/* "[   12.345678]": at least one digit, a dot and six digits. */
static const char *skip_stamp(const char *text, double *time)
{
	const char *start = text + 1;
	const char *point;
	uint64_t whole = 0;
	unsigned int micro = 0;

	if (*text != '[')
		return text;
	while (*start == ' ')
		start++;
	for (point = start; *point >= '0' && *point <= '9' && point - start < 18; point++)
		whole = whole * 10 + (uint64_t)(*point - '0');
	if (point == start || *point != '.')
		return text;
	for (int i = 1; i <= 6; i++) {
		if (point[i] < '0' || point[i] > '9')
			return text;
		micro = micro * 10 + (unsigned int)(point[i] - '0');
	}
	if (point[7] != ']')
		return text;
	*time = (double)whole + micro / 1e6;
	return point + 8;
}

/* "[ T1234]" or "[    C0]" behind the stamp. */
static const char *skip_caller(const char *text, char *caller, size_t size)
{
	const char *start = text;
	const char *end;

	if (*start != '[')
		return text;
	start = skip_spaces(start + 1);
	if (*start != 'T' && *start != 'C')
		return text;
	end = start + 1;
	while (isdigit((unsigned char)*end))
		end++;
	if (end == start + 1 || *end != ']' || (size_t)(end - start) >= size)
		return text;
	memcpy(caller, start, (size_t)(end - start));
	caller[end - start] = '\0';
	return end + 1;
}

/* A number behind spaces. Return: behind it, or NULL. */
static const char *skip_number(const char *text)
{
	const char *end;

	text = skip_spaces(text);
	for (end = text; isdigit((unsigned char)*end); end++)
		;
	return end == text ? NULL : end;
}

/*
 * Vendors of Android kernels print CPU and task behind the stamp: "c4  1420 ", "(4)[1420:Binder:1]" and
 * "[4:      swapper/4:    0] " (15 and 5 characters wide). The task is the caller.
 */
static const char *skip_vendor_caller(const char *text, struct line *line)
{
	const char *start = text, *pid = NULL, *end = NULL;

	if (*start == 'c' && (end = skip_number(start + 1)) && *end == ' ') {
		pid = skip_spaces(end);
		end = skip_number(pid);
		end = end && *end == ' ' ? end + 1 : NULL;
	} else if (*start == '[' && isdigit((unsigned char)start[1]) && (end = skip_number(start + 1)) &&
		   *end == ':' && strnlen(end, 23) == 23 && end[16] == ':' && end[22] == ']') {
		pid = skip_spaces(end + 17);
		end = skip_number(pid) == end + 22 ? end + 23 : NULL;
	} else {
		start += *start == ' ';
		start += *start == '-';
		end = *start == '(' ? skip_number(start + 1) : NULL;
		if (end && end[0] == ')' && end[1] == '[' && (pid = end + 2) && (end = skip_number(pid)) &&
		    *end == ':')
			end = strchr(end, ']');
		else
			end = NULL;
		end = end ? end + 1 : NULL;
	}
	if (!end)
		return text;
	snprintf(line->caller, sizeof(line->caller), "T%.*s", (int)strspn(pid, "0123456789"), pid);
	return *end == ' ' ? end + 1 : end;
}

static int month_of(const char *text)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (*text == months[3 * i] && strncmp(text, months + 3 * i, 3) == 0)
			return i;
	return -1;
}

static const char *skip_clock(const char *text, struct tm *tm)
{
	if (!digits(text, 2) || text[2] != ':' || !digits(text + 3, 2) || text[5] != ':' ||
	    !digits(text + 6, 2))
		return NULL;
	tm->tm_hour = atoi(text);
	tm->tm_min = atoi(text + 3);
	tm->tm_sec = atoi(text + 6);
	return text + 8;
}

/* "2017-06-30 16:25:43.012" and "2024-01-01T00:00:00.123456+02:00"; without a zone it counts as UTC. */
static const char *skip_iso_date(const char *text, double *host_time)
{
	struct tm tm = {0};
	double fraction = 0;
	long zone = 0;
	const char *end;

	if (!digits(text, 4) || text[4] != '-' || !digits(text + 5, 2) || text[7] != '-' ||
	    !digits(text + 8, 2) || (text[10] != ' ' && text[10] != 'T'))
		return text;
	end = skip_clock(text + 11, &tm);
	if (!end)
		return text;
	tm.tm_year = atoi(text) - 1900;
	tm.tm_mon = atoi(text + 5) - 1;
	tm.tm_mday = atoi(text + 8);
	if ((*end == '.' || *end == ',') && isdigit((unsigned char)end[1])) {
		double unit = 0.1;

		for (end++; isdigit((unsigned char)*end); end++, unit /= 10)
			fraction += unit * (*end - '0');
	}
	if (*end == 'Z') {
		end++;
	} else if ((*end == '+' || *end == '-') && digits(end + 1, 2)) {
		const char *minutes = end[3] == ':' ? end + 4 : end + 3;

		if (digits(minutes, 2)) {
			zone = (atoi(end + 1) % 100) * 3600L;
			if (minutes == end + 3)
				zone = (end[1] - '0') * 36000L + (end[2] - '0') * 3600L;
			zone += (minutes[0] - '0') * 600L + (minutes[1] - '0') * 60L;
			if (*end == '-')
				zone = -zone;
			end = minutes + 2;
		}
	}
	*host_time = (double)(timegm(&tm) - zone) + fraction;
	return end;
}

/* "Aug  6 11:53:44", also with a year behind the day; no year means no host_time. */
static const char *skip_syslog_date(const char *text, double *host_time)
{
	struct tm tm = {.tm_mon = month_of(text)};
	const char *day, *end;

	if (tm.tm_mon < 0 || text[3] != ' ')
		return text;
	day = skip_spaces(text + 3);
	tm.tm_mday = atoi(day);
	for (end = day; isdigit((unsigned char)*end) && end - day < 2; end++)
		;
	if (end == day || *end != ' ')
		return text;
	end = skip_spaces(end);
	if (digits(end, 4) && end[4] == ' ') {
		tm.tm_year = atoi(end) - 1900;
		end += 5;
	}
	end = skip_clock(end, &tm);
	if (!end)
		return text;
	if (tm.tm_year)
		*host_time = (double)timegm(&tm);
	if (*end == '.') /* journalctl -o short-precise */
		for (end++; isdigit((unsigned char)*end); end++)
			;
	return end;
}

/* "[Mon Jan  1 12:00:00 2024]" of dmesg -T. */
static const char *skip_ctime(const char *text, double *host_time)
{
	struct tm tm = {0};
	const char *end;

	if (*text != '[' || strnlen(text, 26) < 26 || !isalpha((unsigned char)text[1]) || text[4] != ' ')
		return text;
	tm.tm_mon = month_of(text + 5);
	if (tm.tm_mon < 0)
		return text;
	end = skip_spaces(text + 8);
	tm.tm_mday = atoi(end);
	while (isdigit((unsigned char)*end))
		end++;
	end = skip_clock(skip_spaces(end), &tm);
	if (!end || *end != ' ' || !digits(end + 1, 4) || end[5] != ']')
		return text;
	tm.tm_year = atoi(end + 1) - 1900;
	*host_time = (double)timegm(&tm);
	return end + 6;
}

static void copy_word(char *to, size_t size, const char *from, size_t length)
{
	if (length >= size)
		length = size - 1;
	memcpy(to, from, length);
	to[length] = '\0';
}

/*
 * "HOST kernel: ", "HOST iscsid[123]: ", "err kernel: ", "HOST sshd[1]: ": the tag is the first of the
 * next three words that ends with a colon.
 */
static const char *skip_tag(const char *text, struct line *line)
{
	const char *word = skip_spaces(text);

	if (*text == ':') /* libvirt: "DATE: thread: level : ..." */
		return text;
	for (int i = 0; i < 3 && *word && *word != '['; i++) {
		size_t length = strcspn(word, " \t");

		if (length > 1 && word[length - 1] == ':') {
			size_t name = strcspn(word, "[:");

			if (!isalpha((unsigned char)*word))
				break;
			copy_word(line->program, sizeof(line->program), word, name);
			return skip_spaces(word + length);
		}
		if (i == 0)
			copy_word(line->host, sizeof(line->host), word, length);
		word = skip_spaces(word + length);
	}
	line->host[0] = '\0';
	return skip_spaces(text);
}

/* "kernel: " and "kernel:" without a date, as wall messages and cut copies have it. */
static const char *skip_bare_tag(const char *text, struct line *line)
{
	if (strncmp(text, "kernel:", 7) != 0)
		return text;
	copy_word(line->program, sizeof(line->program), "kernel", 6);
	return skip_spaces(text + 7);
}

/* A control character or the beginning of one. */
static bool is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f || c == 0xc2;
}

/* Sixteen bytes at once, because nearly all lines hold none. The last ones may be looked at twice. */
static bool any_control(const char *bytes, size_t size)
{
	typedef unsigned char byte_vector __attribute__((vector_size(16)));
	typedef uint64_t halves_vector __attribute__((vector_size(16)));
	byte_vector controls = {0};
	halves_vector halves;
	bool any = false;

	for (size_t i = 0; size < sizeof(byte_vector) && i < size; i++)
		any |= is_control((unsigned char)bytes[i]);
	for (size_t i = 0; size >= sizeof(byte_vector) && i < size; i += sizeof(byte_vector)) {
		byte_vector part;

		if (i > size - sizeof(byte_vector))
			i = size - sizeof(byte_vector);
		memcpy(&part, bytes + i, sizeof(part));
		controls |= (byte_vector)((part < 0x20) | (part == 0x7f) | (part == 0xc2));
	}
	halves = (halves_vector)controls;
	return any || halves[0] || halves[1];
}

/*
 * Remove what terminals and serial lines add, so that nothing in a log can steer the terminal of its reader:
 * control characters, also U+0080 to U+009F in UTF-8, and escape sequences. Line ends inside the line (a bare
 * carriage return) are dropped too: what was printed over is gone on the screen, but not in the log.
 */
static size_t clean(char *to, const char *from, size_t size)
{
	char *start = to;

	if (!any_control(from, size)) {
		memcpy(to, from, size);
		to[size] = '\0';
		return size;
	}
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)from[i];

		if (c == 0xc2 && i + 1 < size && ((unsigned char)from[i + 1] & 0xe0) == 0x80) {
			i++;
		} else if (!is_control(c) || c == 0xc2 || c == '\t') {
			*to++ = (char)c;
		} else if (c == 0x1b && i + 1 < size && from[i + 1] == '[') {
			for (i += 2; i < size && ((unsigned char)from[i] < 0x40 || from[i] == '['); i++)
				;
		}
	}
	*to = '\0';
	return (size_t)(to - start);
}

/* Where the next "[   12.345678] " begins at or behind @from; NULL when there is none. */
static const char *find_stamp(const char *from)
{
	double time;

	for (const char *bracket = strchr(from, '['); bracket; bracket = strchr(bracket + 1, '[')) {
		if ((bracket[1] == ' ' || isdigit((unsigned char)bracket[1])) &&
		    skip_stamp(bracket, &time) != bracket)
			return bracket;
	}
	return NULL;
}

static const char *skip_stamp_and_caller(const char *text, struct line *line)
{
	const char *end = skip_stamp(text, &line->time);

	if (end == text)
		return text;
	line->prefix = line->prefix == LINE_DATED ? LINE_DATED : LINE_STAMPED;
	if (*end == ' ' && end[1] == '[' && (end[2] == ' ' || end[2] == 'T' || end[2] == 'C'))
		end = skip_caller(end + 1, line->caller, sizeof(line->caller));
	else
		end = skip_caller(end, line->caller, sizeof(line->caller));
	if (*end == ' ')
		end++;
	return *line->caller ? end : skip_vendor_caller(end, line);
}

static const char *strip(struct line *line, const char *text)
{
	const char *start = skip_quotes(text);
	const char *end = skip_level(start);

	if (end != start)
		line->prefix = LINE_LEVEL;
	start = end;
	if (start[0] == '[' && (start[1] == ' ' || isdigit((unsigned char)start[1])))
		return skip_stamp_and_caller(start, line);
	end = skip_iso_date(start, &line->host_time);
	if (end == start)
		end = skip_syslog_date(start, &line->host_time);
	if (end != start) {
		line->prefix = LINE_DATED;
		end = skip_tag(end, line);
	} else {
		end = skip_ctime(start, &line->host_time);
		if (end != start) {
			line->prefix = LINE_STAMPED;
			end = *end == ' ' ? end + 1 : end;
		} else {
			end = skip_bare_tag(start, line);
		}
	}
	start = skip_level(end);
	return skip_stamp_and_caller(start, line);
}

/* " 2017-03-15 06:03:48.180+0000: 13914: error : ..." of libvirt, behind something else. */
static const char *find_libvirt_date(const char *from)
{
	static const size_t length = sizeof("2017-03-15 06:03:48.180") - 1;

	for (const char *zone = strchr(from, '+'); zone; zone = strchr(zone + 1, '+')) {
		const char *date = zone - length;
		double host_time;

		if ((size_t)(zone - from) > length && date[-1] == ' ' && strncmp(zone, "+0000: ", 7) == 0 &&
		    skip_iso_date(date, &host_time) != date)
			return date;
	}
	return NULL;
}

/* Does a printed fragment that another message follows end where a message may end? */
static bool is_fragment(const char *text, const char *end)
{
	while (end > text && end[-1] == ' ')
		end--;
	return end > text && end[-1] != '>' && end[-1] != ':';
}

static void read_buffer(struct line *line)
{
	const char *text, *stamp, *date;

	line->time = line->host_time = NAN;
	line->prefix = LINE_BARE;
	line->caller[0] = line->host[0] = line->program[0] = '\0';
	line->rest = NULL;
	text = strip(line, line->buffer);
	stamp = find_stamp(text);
	date = find_libvirt_date(text);
	if (stamp && (!date || stamp < date))
		line->rest = stamp;
	else
		line->rest = date;
	line->text = line->buffer + (text - line->buffer);
	line->size = line->rest ? (size_t)(line->rest - text) : strlen(text);
	/* What user space printed in front of a message ("login: ") is no message that was cut. */
	if (line->rest && line->prefix == LINE_STAMPED && line->rest == stamp &&
	    is_fragment(text, line->rest))
		line->mixed = true;
}

void line_read(struct line *line, const char *raw, size_t size)
{
	if (size > LINE_SIZE - 1)
		size = LINE_SIZE - 1;
	line->anchors = clean(line->buffer, raw, size) < size;
	line->width = size;
	line->mixed = false;
	read_buffer(line);
}

void line_read_rest(struct line *line, const struct line *previous)
{
	strcpy(line->buffer, previous->rest);
	line->width = previous->width;
	line->mixed = previous->mixed;
	line->anchors = previous->anchors;
	read_buffer(line);
}

void line_end(struct line *line)
{
	line->text[line->size] = '\0';
}

void line_append(struct line *line, const struct line *continuation)
{
	size_t used = (size_t)(line->text - line->buffer) + line->size;
	size_t more = continuation->size;

	if (more > LINE_SIZE - 1 - used)
		more = LINE_SIZE - 1 - used;
	memcpy(line->text + line->size, continuation->text, more);
	line->size += more;
	line->text[line->size] = '\0';
	line->width = continuation->width;
	line->anchors = true;
}
