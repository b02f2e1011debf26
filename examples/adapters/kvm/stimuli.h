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
/* Has the waiting operations done, and takes their results. */
void flush(void);
/* A stimulus may have changed what any PE is signalled. `done`: the PE that has been looked at, or -1. */
void look_at_others(unsigned stimulus, int done);
void look_again(unsigned stimulus);

/* stimuli.c: begins a stimulus. It is done, or waits for flush(). */
void step(unsigned n);
/* Stimulus `n` is not done. */
void skip(unsigned n, uint32_t reason);

/* Ends the process, and tells gictrace why. */
void abandon(const char *why) __attribute__((noreturn));

#endif
