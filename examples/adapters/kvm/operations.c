/* SPDX-License-Identifier: Apache-2.0 */
/* Operations that wait in a vCPU's mailbox, and what PEs are signalled after them. */
#include "stimuli.h"
#include <string.h>

struct change changes[2 * BATCH_MAX * PES_MAX];
unsigned change_count;
struct signal signalled[PES_MAX];
const struct signal idle = { 1023, 0, 0xff, 0, 0 };

static unsigned waiting_pe, waiting; /* the vCPU, and how many operations are in its mailbox */
static unsigned waiting_for[MAILBOX_OPERATIONS_MAX]; /* the stimulus of each */

/* What a PE is signalled, as the stub found it after an operation. */
static void look(unsigned pe, const struct operation *of, unsigned stimulus)
{
    uint32_t zero = (uint32_t)of->pending[0], one = (uint32_t)of->pending[1];
    struct signal now = idle;
    groups_pending(pe, zero >> 2 != 255);
    if (zero >> 2 != 255) {
        now.intid = zero;
        now.group = 0;
        now.priority = (uint32_t)of->priority;
    } else if (one >> 2 != 255) {
        now.intid = one;
        now.group = 2;
        now.priority = (uint32_t)of->priority;
    }
    now.fiq = of->lines >> 6 & 1;
    now.irq = of->lines >> 7 & 1;
    if (memcmp(&now, &signalled[pe], sizeof now) == 0)
        return;
    signalled[pe] = now;
    changes[change_count++] = (struct change){ stimulus, pe, now };
}

void flush(void)
{
    struct operation *at = operations_of(waiting_pe);
    unsigned count = waiting;
    waiting = 0;
    if (count == 0)
        return;
    if (!vcpu_run(waiting_pe, count))
        abandon("a vCPU has left KVM and does not come back");
    for (unsigned k = 0; k < count; k++) {
        struct response *of = &responses[waiting_for[k]];
        uint32_t kind = at[k].kind & OPERATION_MASK;
        if (at[k].syndrome != 0) {
            of->skipped = true;
            of->reason = kind == DO_INSTRUCTION ? NO_SYSREG : NO_ABORT;
        } else if (kind != DO_NOTHING && (given[waiting_for[k]].kind == MMIO_READ || given[waiting_for[k]].kind == SYSREG_READ)) {
            of->value = at[k].result;
        }
        if (at[k].kind >> OPERATION_WATCH & 1)
            look(waiting_pe, &at[k], waiting_for[k]);
    }
}

static void wait_for(unsigned pe, unsigned stimulus, uint32_t kind, uint64_t address, uint64_t value, bool seen)
{
    if (waiting > 0 && (waiting_pe != pe || waiting == MAILBOX_OPERATIONS_MAX))
        flush();
    waiting_pe = pe;
    waiting_for[waiting] = stimulus;
    operations_of(pe)[waiting++] = (struct operation){
        .kind = kind | (uint32_t)(watching && seen) << OPERATION_WATCH, .address = address, .value = value,
    };
}

void add(unsigned pe, unsigned stimulus, uint32_t kind, uint64_t address, uint64_t value)
{
    wait_for(pe, stimulus, kind, address, value, true);
}

void add_unseen(unsigned pe, unsigned stimulus, uint32_t kind, uint64_t address, uint64_t value)
{
    wait_for(pe, stimulus, kind, address, value, false);
}

void look_at_others(unsigned stimulus, int done)
{
    if (!watching)
        return;
    for (unsigned pe = 0; pe < machine.is.pes; pe++)
        if ((int)pe != done)
            add(pe, stimulus, DO_NOTHING, 0, 0);
    flush();
}

/*
 * KVM keeps an interrupt with the vCPU that has it in its list of pending interrupts, and gives it to another only when the
 * first leaves the guest the next time. So when a stimulus moves interrupts, or ends one that has been moved, all must run
 * before any of them is looked at.
 */
void look_again(unsigned stimulus)
{
    look_at_others(stimulus, -1);
}
