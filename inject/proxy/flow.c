// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow.h"

#include "base/units.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* So that one busy connection does not keep the others waiting. */
#define TURNS 16

/* Bytes of memory that one flow, and all together, may keep; then nothing more is received for a queue that
 * is not empty. */
#define MOST_KEPT     (64UL << 20)
#define MOST_KEPT_ALL (256UL << 20)

/* No timer is set closer than this. */
#define SHORTEST_WAIT_NS 1000000LL

/* How much of a bandwidth limit may be used at once, and made up for when the timer was late. */
#define BANDWIDTH_BURST_NS 10000000LL

#define NANOSECONDS_PER_MILLISECOND 1000000LL

static const struct {
	enum proxy_fault stall, delay, bandwidth, hold;
} faults_of[DIRECTIONS] = {
	[UP] = {PROXY_STALL_UP, PROXY_DELAY_UP, PROXY_BANDWIDTH_UP, PROXY_HOLD_WRITES},
	[DOWN] = {PROXY_STALL_DOWN, PROXY_DELAY_DOWN, PROXY_BANDWIDTH_DOWN, PROXY_HOLD_RESPONSES},
};

static const struct fault_state *fault(const struct flow *flow, enum proxy_fault which)
{
	return &flow->forwarding->faults.state[which];
}

static bool is_stalled(const struct flow *flow)
{
	return fault(flow, faults_of[flow->direction].stall)->on;
}

static bool is_black_hole(const struct flow *flow)
{
	return flow->swallowed || fault(flow, PROXY_BLACK_HOLE)->on;
}

static int64_t delay_of(const struct flow *flow)
{
	const struct fault_state *delay = fault(flow, faults_of[flow->direction].delay);

	return delay->on ? delay->value * NANOSECONDS_PER_MILLISECOND : 0;
}

static void wait_for(struct flow *flow, int64_t when, int64_t now)
{
	if (when < now + SHORTEST_WAIT_NS)
		when = now + SHORTEST_WAIT_NS;
	if (!flow->wait_until || when < flow->wait_until)
		flow->wait_until = when;
	ring_timer(flow->forwarding->ring, flow->wait_until);
}

void flow_start(struct flow *flow, struct forwarding *forwarding, enum direction direction, int source,
		int sink, struct iscsi_connection *iscsi)
{
	flow->forwarding = forwarding;
	flow->direction = direction;
	flow->in.fd = source;
	flow->out.fd = sink;
	flow->iscsi = iscsi;
	if (iscsi)
		iscsi_parser_start(&flow->parser, direction == UP ? ISCSI_FROM_INITIATOR : ISCSI_FROM_TARGET,
				   &iscsi->negotiation);
}

/* Return: bytes the sink took, or -errno; a full sink takes 0. */
static ssize_t give(struct flow *flow, const uint8_t *bytes, size_t size)
{
	ssize_t given = send(flow->out.fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (given < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
		return -errno;
	if (given < 0)
		given = 0;
	if ((size_t)given < size)
		flow->full = true;
	flow->forwarding->links[flow->direction].bytes += (uint64_t)given;
	return given;
}

static int keep(struct flow *flow, struct queue *queue, const uint8_t *bytes, size_t size)
{
	size_t before = queue->memory;

	if (!queue_append(queue, bytes, size, ring_now()))
		return -ENOMEM;
	flow->forwarding->kept += queue->memory - before;
	return 0;
}

static void drop(struct flow *flow, struct queue *queue, size_t size)
{
	size_t before = queue->memory;

	queue_drop(queue, size);
	flow->forwarding->kept -= before - queue->memory;
}

static void clear(struct flow *flow, struct queue *queue)
{
	flow->forwarding->kept -= queue->memory;
	queue_clear(queue);
}

/* Send at once when nothing is in front and nothing says otherwise; keep the rest. */
static int forward(struct flow *flow, const uint8_t *bytes, size_t size)
{
	ssize_t given = 0;

	if (!flow->ready.first && !flow->full && !delay_of(flow)) {
		given = give(flow, bytes, size);
		if (given < 0)
			return (int)given;
	}
	if ((size_t)given == size)
		return 0;
	return keep(flow, &flow->ready, bytes + given, size - (size_t)given);
}

/* Between two PDUs only: the held ones follow what is ready. */
static void release_held(struct flow *flow)
{
	queue_move(&flow->ready, &flow->held);
	flow->held_pdus = 0;
	flow->holding = false;
	flow->release = false;
}

static bool is_held_kind(const struct flow *flow, const uint8_t *header)
{
	enum iscsi_opcode opcode = iscsi_opcode(header);

	if (flow->direction == DOWN)
		return opcode == ISCSI_SCSI_RESPONSE || opcode == ISCSI_DATA_IN;
	return opcode == ISCSI_DATA_OUT || (opcode == ISCSI_SCSI_COMMAND && iscsi_writes(header));
}

static void begin_pdu(struct flow *flow, const uint8_t *header)
{
	int lun = iscsi_tasks_see(&flow->iscsi->tasks, header);

	flow->inside = true;
	flow->holding = flow->hold.on && is_held_kind(flow, header) &&
			(flow->hold.value == FAULT_NO_VALUE || flow->hold.value == lun);
	flow->held_pdus += flow->holding;
}

static void end_pdu(struct flow *flow)
{
	flow->inside = false;
	flow->holding = false;
	if (flow->release)
		release_held(flow);
}

/* The fault was switched or means another LUN now: what it held may go, and only new PDUs are held. */
static void follow_hold(struct flow *flow)
{
	const struct fault_state *now = fault(flow, faults_of[flow->direction].hold);

	if (now->on == flow->hold.on && now->value == flow->hold.value)
		return;
	flow->hold = *now;
	if (!flow->inside || flow->holding)
		release_held(flow);
	else
		flow->release = true;
}

/* The bytes of a header that is not complete are still in the parser. */
static int forward_partial_header(struct flow *flow)
{
	size_t size = flow->parser.header_filled;

	flow->parser.header_filled = 0;
	return size && size < ISCSI_HEADER_SIZE ? forward(flow, flow->parser.header, size) : 0;
}

static int stop_parsing(struct flow *flow)
{
	int r;

	flow->forwarding->not_iscsi += !flow->iscsi->broken;
	flow->iscsi->broken = true;
	release_held(flow);
	r = forward_partial_header(flow);
	flow->iscsi = NULL;
	return r;
}

/**
 * struct run - pieces that lie side by side and go the same way, so that they are passed on together
 * @held: that way
 */
struct run {
	const uint8_t *bytes;
	size_t size;
	bool held;
};

static int pass_on(struct flow *flow, struct run *run)
{
	size_t size = run->size;

	run->size = 0;
	if (!size)
		return 0;
	return run->held ? keep(flow, &flow->held, run->bytes, size) : forward(flow, run->bytes, size);
}

static int extend(struct flow *flow, struct run *run, const struct iscsi_piece *piece)
{
	int r = 0;

	if (run->held != flow->holding || run->bytes + run->size != piece->bytes) {
		r = pass_on(flow, run);
		run->bytes = piece->bytes;
		run->held = flow->holding;
	}
	run->size += piece->size;
	return r;
}

static int forward_pdus(struct flow *flow, const uint8_t *bytes, size_t size)
{
	struct run run = {0};
	int r = 0;

	while (size && !r) {
		struct iscsi_piece piece;
		size_t used;

		/* A header in the parser lasts only until the next feed. */
		if (run.bytes == flow->parser.header && (r = pass_on(flow, &run)))
			break;
		if (iscsi_parser_feed(&flow->parser, bytes, size, &used, &piece)) {
			r = pass_on(flow, &run);
			if (!r)
				r = stop_parsing(flow);
			return r ? r : forward(flow, bytes, size);
		}
		bytes += used;
		size -= used;
		if (!piece.size)
			break;
		if (piece.begins)
			begin_pdu(flow, piece.bytes);
		r = extend(flow, &run, &piece);
		if (!r && piece.ends && flow->release)
			r = pass_on(flow, &run);
		if (piece.ends)
			end_pdu(flow);
	}
	return r ? r : pass_on(flow, &run);
}

static int64_t release_time(const struct flow *flow, int64_t arrived)
{
	return arrived + delay_of(flow);
}

static int deliver(struct flow *flow)
{
	const uint8_t *bytes;
	size_t size;
	int64_t arrived, now = flow->ready.first ? ring_now() : 0;

	if (is_black_hole(flow))
		return 0;
	while (!flow->full && (bytes = queue_first(&flow->ready, &size, &arrived))) {
		ssize_t given;

		if (release_time(flow, arrived) > now) {
			wait_for(flow, release_time(flow, arrived), now);
			break;
		}
		given = give(flow, bytes, size);
		if (given < 0)
			return (int)given;
		if (given)
			drop(flow, &flow->ready, (size_t)given);
	}
	return 0;
}

static void swallow(struct flow *flow, size_t size)
{
	flow->swallowed = true;
	flow->forwarding->links[flow->direction].swallowed += size;
}

static int64_t limited_bandwidth(const struct flow *flow)
{
	const struct fault_state *limit = fault(flow, faults_of[flow->direction].bandwidth);

	return limit->on ? limit->value : 0;
}

/* How much may be received now; 0 to wait. */
static size_t allowance(struct flow *flow)
{
	struct link *link = &flow->forwarding->links[flow->direction];
	int64_t rate = limited_bandwidth(flow), now, burst;

	if (!rate)
		return flow->forwarding->buffer_size;
	now = ring_now();
	if (link->free_at > now) {
		wait_for(flow, link->free_at, now);
		return 0;
	}
	burst = rate / (NANOSECONDS_PER_SECOND / BANDWIDTH_BURST_NS);
	if (burst > (int64_t)flow->forwarding->buffer_size)
		return flow->forwarding->buffer_size;
	return burst ? (size_t)burst : 1;
}

static void use_bandwidth(struct flow *flow, size_t size)
{
	struct link *link = &flow->forwarding->links[flow->direction];
	int64_t rate = limited_bandwidth(flow), earliest;

	if (!rate)
		return;
	earliest = ring_now() - BANDWIDTH_BURST_NS;
	if (link->free_at < earliest)
		link->free_at = earliest;
	link->free_at += (int64_t)((double)size / (double)rate * (double)NANOSECONDS_PER_SECOND);
}

static bool has_room(const struct flow *flow)
{
	size_t own = flow->ready.memory + flow->held.memory;

	return !own || (own < MOST_KEPT && flow->forwarding->kept < MOST_KEPT_ALL);
}

static int process(struct flow *flow, size_t size)
{
	const uint8_t *bytes = flow->forwarding->buffer;

	use_bandwidth(flow, size);
	if (is_black_hole(flow)) {
		swallow(flow, size);
		return 0;
	}
	return flow->iscsi ? forward_pdus(flow, bytes, size) : forward(flow, bytes, size);
}

static int end_input(struct flow *flow)
{
	flow->ended = true;
	return flow->iscsi ? forward_partial_header(flow) : 0;
}

/* Return: 1 when there may be more at once, 0 when there is nothing to do before an event, or -errno. */
static int receive(struct flow *flow)
{
	size_t most = allowance(flow);
	ssize_t got;

	if (!most)
		return 0;
	got = recv(flow->in.fd, flow->forwarding->buffer, most, MSG_DONTWAIT);
	if (got < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	if (got > 0) {
		int r = process(flow, (size_t)got);

		if (r)
			return r;
		if ((size_t)got == most)
			return 1;
	}
	if (!got)
		return end_input(flow);
	ring_watch(flow->forwarding->ring, &flow->in, POLLIN);
	return 0;
}

static void pass_on_end(struct flow *flow)
{
	if (!flow->ended || flow->closed || flow->ready.first || flow->held.first || is_black_hole(flow))
		return;
	shutdown(flow->out.fd, SHUT_WR);
	flow->closed = true;
}

/* Return: 0 with everything arranged for what comes next, or -errno. */
static int take_turns(struct flow *flow)
{
	int r = deliver(flow);

	for (int turn = 0; !r && turn < TURNS; turn++) {
		int more;

		if (flow->full || flow->ended || !has_room(flow))
			return 0;
		more = receive(flow);
		r = more < 0 ? more : deliver(flow);
		if (!more)
			return r;
	}
	if (!r)
		ring_watch(flow->forwarding->ring, &flow->in, POLLIN);
	return r;
}

int flow_pump(struct flow *flow)
{
	int r = 0;

	flow->wait_until = 0;
	if (flow->closed || is_stalled(flow))
		return 0;
	flow->full = false;
	if (flow->iscsi && flow->iscsi->broken)
		r = stop_parsing(flow);
	else if (flow->iscsi)
		follow_hold(flow);
	if (!r)
		r = take_turns(flow);
	if (r)
		return r;
	if (flow->full)
		ring_watch(flow->forwarding->ring, &flow->out, POLLOUT);
	pass_on_end(flow);
	return 0;
}

void flow_close(struct flow *flow)
{
	if (flow->closed)
		return;
	clear(flow, &flow->ready);
	clear(flow, &flow->held);
	flow->held_pdus = 0;
	flow->ended = true;
	flow->closed = true;
	shutdown(flow->out.fd, SHUT_WR);
}

size_t flow_held(const struct flow *flow)
{
	size_t partial = flow->iscsi && flow->parser.header_filled < ISCSI_HEADER_SIZE
				 ? flow->parser.header_filled
				 : 0;
	int waiting = 0;

	if (ioctl(flow->in.fd, FIONREAD, &waiting))
		waiting = 0;
	return (size_t)waiting + partial + flow->ready.bytes + flow->held.bytes;
}

void flow_free(struct flow *flow)
{
	clear(flow, &flow->ready);
	clear(flow, &flow->held);
}
