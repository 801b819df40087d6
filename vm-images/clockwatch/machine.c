// SPDX-License-Identifier: GPL-2.0-or-later
#include "machine.h"

/* Intel SDM volume 3, chapter 11 (local APIC), QEMU docs/specs/pvpanic.rst, 16550 UART. */
#define APIC		   0xfee00000UL
#define APIC_ID		   0x020
#define APIC_EOI	   0x0b0
#define APIC_SPURIOUS	   0x0f0
#define APIC_COMMAND	   0x300
#define APIC_TIMER	   0x320
#define APIC_INITIAL_COUNT 0x380
#define APIC_CURRENT_COUNT 0x390
#define APIC_DIVIDE	   0x3e0

#define APIC_ENABLED	      0x100
#define TIMER_MASKED	      (1 << 16)
#define TIMER_PERIODIC	      (1 << 17)
#define DIVIDE_BY_1	      0xb
#define COMMAND_INIT_OTHERS   0x000c4500
#define COMMAND_SIPI_OTHERS   0x000c4600
#define COMMAND_PENDING	      (1 << 12)
#define TRAMPOLINE	      0x8000UL
#define CLOCK_VECTOR	      0x30
#define SPURIOUS_VECTOR	      0xff
#define CODE_SEGMENT	      0x08
#define INTERRUPT_GATE	      0x8e00
#define PVPANIC_PORT	      0x505
#define PVPANIC_PANICKED      1
#define KEYBOARD_COMMAND      0x64
#define KEYBOARD_RESET	      0xfe
#define FIRST_INTERRUPT_MASK  0x21
#define SECOND_INTERRUPT_MASK 0xa1

/* Microsoft, "Hypervisor Top Level Functional Specification" 6.0, 2.4 and appendix; QEMU
 * docs/system/i386/hyperv.rst */
#define HYPERV_SIGNATURE  0x40000000
#define HYPERV_FEATURES	  0x40000003
#define HYPERV_ADVICE	  0x40000004
#define CRASH_REGISTERS	  (1 << 10)
#define RELAXED_TIMING	  (1 << 5)
#define MSR_CRASH_P0	  0x40000100
#define MSR_CRASH_CTL	  0x40000105
#define CRASH_NOTIFY_HIGH 0x80000000U

extern const char trampoline[], trampoline_end[];
extern void clock_interrupt(void), spurious_interrupt(void);

static struct {
	uint16_t low, segment, kind, high;
} gates[256] __attribute__((aligned(8)));

static void write_port(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t read_port(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static volatile uint32_t *apic(unsigned int offset)
{
	return (volatile uint32_t *)(APIC + offset);
}

static void set_gate(unsigned int vector, void (*handler)(void))
{
	uintptr_t address = (uintptr_t)handler;

	gates[vector].low = (uint16_t)address;
	gates[vector].segment = CODE_SEGMENT;
	gates[vector].kind = INTERRUPT_GATE;
	gates[vector].high = (uint16_t)(address >> 16);
}

static void start_interrupts(void)
{
	const struct {
		uint16_t limit;
		uintptr_t base;
	} __attribute__((packed)) table = {sizeof(gates) - 1, (uintptr_t)gates};

	__asm__ volatile("lidt %0" : : "m"(table));
	*apic(APIC_SPURIOUS) = APIC_ENABLED | SPURIOUS_VECTOR;
}

void machine_start_clock(void)
{
	start_interrupts();
	*apic(APIC_DIVIDE) = DIVIDE_BY_1;
	*apic(APIC_TIMER) = TIMER_PERIODIC | CLOCK_VECTOR;
	/* The timer of QEMU and of KVM counts nanoseconds. */
	*apic(APIC_INITIAL_COUNT) = CLOCK_NANOSECONDS;
}

void machine_start(void)
{
	write_port(FIRST_INTERRUPT_MASK, 0xff);
	write_port(SECOND_INTERRUPT_MASK, 0xff);
	set_gate(CLOCK_VECTOR, clock_interrupt);
	set_gate(SPURIOUS_VECTOR, spurious_interrupt);
	machine_start_clock();
}

/* With interrupts off the timer can be watched as it counts down, over and over. */
static void pause_nanoseconds(uint32_t nanoseconds)
{
	uint32_t last = *apic(APIC_CURRENT_COUNT), passed = 0;

	while (passed < nanoseconds) {
		uint32_t now = *apic(APIC_CURRENT_COUNT);

		passed += now <= last ? last - now : last + CLOCK_NANOSECONDS - now;
		last = now;
		__asm__ volatile("pause");
	}
}

static void command_others(uint32_t command)
{
	*apic(APIC_COMMAND) = command;
	while (*apic(APIC_COMMAND) & COMMAND_PENDING)
		__asm__ volatile("pause");
}

/* INIT, 10 ms, then the start-up message twice (Intel SDM volume 3, 9.4.4.1). */
void machine_start_others(void)
{
	uintptr_t length = (uintptr_t)trampoline_end - (uintptr_t)trampoline;
	char *to = (char *)TRAMPOLINE;

	for (uintptr_t i = 0; i < length; i++)
		to[i] = trampoline[i];
	command_others(COMMAND_INIT_OTHERS);
	pause_nanoseconds(10000000);
	command_others(COMMAND_SIPI_OTHERS | TRAMPOLINE >> 12);
	pause_nanoseconds(200000);
	command_others(COMMAND_SIPI_OTHERS | TRAMPOLINE >> 12);
}

unsigned int machine_number(void)
{
	return *apic(APIC_ID) >> 24;
}

void machine_end_interrupt(void)
{
	*apic(APIC_EOI) = 0;
}

/* An interrupt cannot come between the two instructions. */
void machine_wait(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

void machine_print(int port, const char *text)
{
	static const uint16_t ports[] = {0x3f8, 0x2f8};

	for (; *text; text++) {
		while (!(read_port((uint16_t)(ports[port] + 5)) & 0x20))
			__asm__ volatile("pause");
		write_port(ports[port], (uint8_t)*text);
	}
}

void machine_stop_vm(void)
{
	write_port(PVPANIC_PORT, PVPANIC_PANICKED);
}

void machine_reset(void)
{
	write_port(KEYBOARD_COMMAND, KEYBOARD_RESET);
}

static void cpuid(uint32_t leaf, uint32_t registers[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(registers[0]), "=b"(registers[1]), "=c"(registers[2]), "=d"(registers[3])
			 : "a"(leaf), "c"(0));
}

static bool is_hyperv(void)
{
	uint32_t registers[4];

	cpuid(1, registers);
	if (!(registers[2] >> 31))
		return false;
	cpuid(HYPERV_SIGNATURE, registers);
	/* "Microsoft Hv" */
	return registers[0] >= HYPERV_ADVICE && registers[1] == 0x7263694d && registers[2] == 0x666f736f &&
	       registers[3] == 0x76482074;
}

bool machine_has_relaxed_timing(void)
{
	uint32_t registers[4];

	if (!is_hyperv())
		return false;
	cpuid(HYPERV_ADVICE, registers);
	return registers[0] & RELAXED_TIMING;
}

static void write_register(uint32_t number, uint32_t high, uint32_t low)
{
	__asm__ volatile("wrmsr" : : "c"(number), "a"(low), "d"(high));
}

void machine_report_crash(const uint32_t parameters[5])
{
	uint32_t registers[4];

	if (!is_hyperv())
		return;
	cpuid(HYPERV_FEATURES, registers);
	if (!(registers[3] & CRASH_REGISTERS))
		return;
	for (uint32_t i = 0; i < 5; i++)
		write_register(MSR_CRASH_P0 + i, 0, parameters[i]);
	write_register(MSR_CRASH_CTL, CRASH_NOTIFY_HIGH, 0);
}
