/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HANGLAB_CLOCKWATCH_MACHINE_H
#define HANGLAB_CLOCKWATCH_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What clockwatch uses of a PC: ports, the local interrupt controller with its timer, the other processors,
 * the hypervisor's marks.
 */

/** Clock interrupts in a second, as Windows has them, and nanoseconds between two. */
#define CLOCK_HZ	  64
#define CLOCK_NANOSECONDS 15625000

#define MOST_PROCESSORS 64

/** machine_start() - interrupts and the clock of the boot processor */
void machine_start(void);

/** machine_start_clock() - the clock of the calling processor */
void machine_start_clock(void);

/** machine_start_others() - the processors but the one that calls begin at other_processor() */
void machine_start_others(void);

/** machine_number() - of the calling processor (its APIC ID; QEMU counts them from 0) */
unsigned int machine_number(void);

/** machine_end_interrupt() - the interrupt is dealt with */
void machine_end_interrupt(void);

/** machine_wait() - sleep until an interrupt; interrupts are on only meanwhile */
void machine_wait(void);

/** machine_print() - to the serial port: 0 console, 1 channel */
void machine_print(int port, const char *text);

/** machine_stop_vm() - stop the VM before the next instruction (pvpanic); returns when it is continued */
void machine_stop_vm(void);

/** machine_reset() - restart the machine */
void machine_reset(void);

/** machine_has_relaxed_timing() - does the hypervisor ask for relaxed timing (hv_relaxed)? */
bool machine_has_relaxed_timing(void);

/** machine_report_crash() - the Hyper-V crash registers, when there are any: bugcheck code and arguments */
void machine_report_crash(const uint32_t parameters[5]);

#endif
