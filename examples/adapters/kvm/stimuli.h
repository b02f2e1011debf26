/* SPDX-License-Identifier: Apache-2.0 */
/* The stimuli of a batch, what came of each, and what PEs are signalled after it. */
#ifndef STIMULI_H
#define STIMULI_H

#include "machine.h"

/* Kinds of records (docs/records.md). */
enum {
    MMIO_READ = 1, MMIO_WRITE, SYSREG_READ, SYSREG_WRITE, MEM_WRITE, MEM_KNOWN, MEM_UNKNOWN, QUEUE_WRITE, MSI_WRITE,
    WIRE_SET, PE_RESET, KINDS, HPPI = 64
};

/* Why a stimulus is skipped; kvm_adapter.c has the texts. */
enum {
    NO_KIND, NO_PLACE, NO_ABORT, NO_SYSREG, NO_LINE, NO_TIMER, NO_MSI, NO_SLOT, NO_STATE, NO_MESSAGE_SPI, NO_EXTENDED,
    NO_NMI, NO_DIRECT_LPI, NO_VIRTUAL_LPI, REASONS
};

#define BATCH_MAX 512

struct stimulus {
    uint32_t kind, flags, words[11];
    int pe; /* -1: none */
};
struct response {
    bool skipped;
    uint32_t reason;
    uint64_t value;
};
struct signal {
    uint32_t intid, group, priority, fiq, irq;
};
struct change {
    unsigned of; /* the stimulus that caused it */
    unsigned pe;
    struct signal now;
};

/* The batch that is being done. */
extern struct stimulus given[BATCH_MAX];
extern struct response responses[BATCH_MAX];

/* What PEs are signalled, and its changes in this batch. */
extern struct change changes[2 * BATCH_MAX * PES_MAX];
extern unsigned change_count;
extern struct signal signalled[PES_MAX];
extern const struct signal idle;

/* The levels of input lines; those of SPIs are in the first row. */
extern uint8_t lines_high[PES_MAX][1024];

/* operations.c: has a vCPU do something for a stimulus, together with what follows for the same vCPU. */
void add(unsigned pe, unsigned stimulus, uint32_t kind, uint64_t address, uint64_t value);
/* The same, and what PEs are signalled between the two is nobody's concern. */
void add_unseen(unsigned pe, unsigned stimulus, uint32_t kind, uint64_t address, uint64_t value);
/* Has the waiting operations done, and takes their results. */
void flush(void);
/* A stimulus may have changed what any PE is signalled. `done`: the PE that has been looked at, or -1. */
void look_at_others(unsigned stimulus, int done);
void look_again(unsigned stimulus);

/* stimuli.c: begins a stimulus. It is done, or waits for flush(). */
void step(unsigned n);
/* Stimulus `n` is not done. */
void skip(unsigned n, uint32_t reason);

/* groups.c: on a host where guests do not run with Group 0 alone, it is enabled later. On any other, when the trace says. */
#define ICC_IAR0 0xc640u
#define ICC_HPPIR0 0xc642u
#define ICC_IGRPEN0 0xc666u
#define ICC_IGRPEN1 0xc667u
extern bool delays_group0;
void groups_init(bool is_emulated);
void groups_reset(unsigned pe);
/* Whether the highest-priority pending interrupt of a PE is of Group 0. */
void groups_pending(unsigned pe, bool is_zero);
/* Before an access to an ICC register. */
void groups_before(unsigned pe, uint32_t number);
/* A write of ICC_IGRPEN0_EL1 or ICC_IGRPEN1_EL1. `at`: the instructions that write each. */
void groups_enable(unsigned n, unsigned pe, bool is_one, bool enable, const uint64_t at[2], uint32_t kind);
/* A read of one of them waits for flush(). */
void groups_read(unsigned n, unsigned pe, bool is_one);
/* Before a snapshot is taken or restored: what the trace enables is not part of it. */
void groups_snapshot(void);

/* Ends the process, and tells gictrace why. */
void abandon(const char *why) __attribute__((noreturn));

#endif
