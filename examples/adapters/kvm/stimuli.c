/* SPDX-License-Identifier: Apache-2.0 */
/* What is done for each kind of stimulus. */
#include "stimuli.h"
#include <errno.h>
#include <string.h>

#define LEVEL2_ADDRESS 0xffffffffff000ull

struct stimulus given[BATCH_MAX];
struct response responses[BATCH_MAX];
uint8_t lines_high[PES_MAX][1024];

static bool moves_interrupts(const struct stimulus *s)
{
    const uint32_t frame = s->words[0], offset = s->words[2];
    if (s->kind == SYSREG_WRITE)
        return frame == 0xc659; /* ICC_DIR_EL1 */
    if (frame == 0) /* GICD_ICACTIVER<n>, GICD_IROUTER<n> */
        return (offset >= 0x380 && offset < 0x400) || offset >= 0x6000;
    if (frame == 1) /* GICR_ICACTIVER0 */
        return offset == 0x10380;
    return offset >= 0x88 && offset < 0x90; /* GITS_CWRITER */
}

void skip(unsigned n, uint32_t reason)
{
    responses[n].skipped = true;
    responses[n].reason = reason;
}

static uint64_t wide(const uint32_t *words)
{
    return words[0] | (uint64_t)words[1] << 32;
}

/*
 * A GIC may have what KVM's has not, and a trace of it need not use that. Why an access to these registers is skipped; -1 if
 * it is not.
 */
static int lacking(uint32_t frame, uint32_t offset)
{
    const struct configuration *is = &machine.is;
    if (frame == 0) {
        if ((is->gicd_typer & TYPER_MBIS) && offset >= 0x40 && offset < 0x60) /* GICD_SETSPI_NSR to GICD_CLRSPI_SR */
            return NO_MESSAGE_SPI;
        if ((is->gicd_typer & TYPER_NMI) && offset >= 0xf80 && offset < 0x1000) /* GICD_INMIR<n> */
            return NO_NMI;
        if ((is->gicd_typer & TYPER_ESPI) && ((offset >= 0x1000 && offset < 0x4000) || (offset >= 0x8000 && offset < 0xa000)))
            return NO_EXTENDED;
    } else if (frame == 1) {
        if (offset >= 0x20000)
            return is->gicr_typer & GICR_TYPER_VLPIS ? NO_VIRTUAL_LPI : -1;
        if ((is->gicr_typer & GICR_TYPER_DIRECT_LPI) && (offset == 0x40 || offset == 0x48)) /* GICR_SETLPIR, GICR_CLRLPIR */
            return NO_DIRECT_LPI;
        if ((is->gicd_typer & TYPER_NMI) && offset == 0x10f80) /* GICR_INMIR0 */
            return NO_NMI;
        if (is->gicr_typer & GICR_TYPER_PPINUM) {
            uint32_t at = offset - 0x10000;
            bool bitmap = (at >= 0x80 && at < 0x400) || (at >= 0xd00 && at < 0xd80) || (at >= 0xf80 && at < 0x1000);
            if ((bitmap && at % 0x80 >= 4) || (at >= 0x420 && at < 0x460) || (at >= 0xc08 && at < 0xc18))
                return NO_EXTENDED;
        }
    }
    return -1;
}

static void access_frame(unsigned n)
{
    const struct stimulus *s = &given[n];
    const uint32_t frame = s->words[0], instance = s->words[1], offset = s->words[2], width = s->words[3];
    const struct configuration *is = &machine.is;
    int log = width == 1 ? 0 : width == 2 ? 1 : width == 4 ? 2 : width == 8 ? 3 : -1;
    if (log < 0) {
        skip(n, NO_KIND);
        return;
    }
    uint64_t base, size = frame == 0 ? 0x10000 : 0x20000;
    if (frame == 0)
        base = is->gicd_base;
    else if (frame == 1 && instance < is->pes)
        base = is->gicr_base[instance];
    else if (frame == 2 && instance < is->itss)
        base = is->its_base[instance];
    else
        base = 0, size = 0;
    int lack = lacking(frame, offset);
    if (lack >= 0) {
        skip(n, (uint32_t)lack);
        return;
    }
    if (offset > size || width > size - offset) {
        skip(n, NO_PLACE);
        return;
    }
    if (offset % width != 0) {
        skip(n, NO_ABORT); /* frames are Device memory */
        return;
    }
    int pe = s->pe >= 0 ? s->pe : frame == 1 ? (int)instance : 0;
    add((unsigned)pe, n, (s->kind == MMIO_READ ? DO_READ : DO_WRITE) + (uint32_t)log, base + offset, wide(s->words + 4));
    if (s->kind == MMIO_WRITE) {
        look_at_others(n, pe);
        if (moves_interrupts(s))
            look_again(n);
    }
}

/* ICC registers that EL1 may access: CRn 4 and 12 of op0 3, op1 0. */
static bool is_of_guest(uint32_t number)
{
    uint32_t crn = number >> 7 & 15, crm = number >> 3 & 15;
    return number >> 14 == 3 && (number >> 11 & 7) == 0 && ((crn == 4 && crm == 6) || (crn == 12 && crm >= 8 && crm <= 12));
}

static void access_register(unsigned n)
{
    const struct stimulus *s = &given[n];
    uint32_t number = s->words[0];
    bool fresh, read = s->kind == SYSREG_READ;
    if (s->pe < 0 || number > 0xffff) {
        skip(n, NO_PLACE);
        return;
    }
    if (number == 0xc64d && (machine.is.gicd_typer & TYPER_NMI)) { /* ICC_NMIAR1_EL1 */
        skip(n, NO_NMI);
        return;
    }
    if (!is_of_guest(number)) {
        skip(n, NO_SYSREG);
        return;
    }
    uint64_t at = instruction_at((read ? 0xd5200000 : 0xd5000000) | number << 5, &fresh);
    if (at == 0) {
        skip(n, NO_SLOT);
        return;
    }
    bool is_one = number == ICC_IGRPEN1, enables = is_one || number == ICC_IGRPEN0;
    groups_before((unsigned)s->pe, number);
    if (delays_group0 && enables && !read) {
        uint64_t both[2] = { instruction_at(0xd5000000 | ICC_IGRPEN0 << 5, &fresh), 0 };
        bool also_fresh;
        both[1] = instruction_at(0xd5000000 | ICC_IGRPEN1 << 5, &also_fresh);
        if (both[0] == 0 || both[1] == 0) {
            skip(n, NO_SLOT);
            return;
        }
        groups_enable(n, (unsigned)s->pe, is_one, s->words[1] & 1, both, DO_INSTRUCTION | 1u << OPERATION_FRESH | 1u << OPERATION_SETTLE);
        look_at_others(n, s->pe);
        return;
    }
    uint32_t crm_op2 = number & 0x7f;
    bool acknowledges = read && (crm_op2 == 0x40 || crm_op2 == 0x60 || crm_op2 == 0x4d); /* IAR0, IAR1, NMIAR1 */
    bool settles = !read || acknowledges;
    add((unsigned)s->pe, n, DO_INSTRUCTION | (uint32_t)fresh << OPERATION_FRESH | (uint32_t)settles << OPERATION_SETTLE, at,
        wide(s->words + 1));
    if (delays_group0 && enables)
        groups_read(n, (unsigned)s->pe, is_one);
    /* SGIs go to other PEs; what is ended may go to where it is routed now. */
    if (!read && (number & 0xff8) != 0x230) {
        look_at_others(n, s->pe);
        if (moves_interrupts(s))
            look_again(n);
    }
}

static void store(unsigned n, uint64_t address, uint64_t length, const void *bytes)
{
    uint8_t *at = memory_at(address, length);
    if (at == NULL)
        skip(n, NO_PLACE);
    else
        memcpy(at, bytes, length);
}

void step(unsigned n)
{
    const struct stimulus *s = &given[n];
    const uint32_t *w = s->words;
    uint64_t quads[4];
    uint8_t *at;
    int error;
    switch (s->kind) {
    case MMIO_READ:
    case MMIO_WRITE:
        access_frame(n);
        return;
    case SYSREG_READ:
    case SYSREG_WRITE:
        access_register(n);
        return;
    case MEM_UNKNOWN:
        return;
    }
    flush(); /* what follows is not a vCPU's doing, and comes after it */
    switch (s->kind) {
    case MEM_WRITE:
        quads[0] = wide(w + 3);
        if (w[2] == 8 && quads[0] >> 63) { /* a valid entry of a level-1 table */
            uint64_t table = quads[0] & LEVEL2_ADDRESS;
            quads[0] = (quads[0] & ~LEVEL2_ADDRESS) | placed(table);
        }
        if (w[2] > 8)
            skip(n, NO_KIND);
        else
            store(n, wide(w), w[2], quads);
        return;
    case MEM_KNOWN:
        at = memory_at(wide(w), w[2]);
        if (at == NULL)
            skip(n, NO_PLACE);
        else
            memory_fill(at, w[2], (uint8_t)w[3]);
        return;
    case QUEUE_WRITE:
        for (int k = 0; k < 4; k++)
            quads[k] = wide(w + 3 + 2 * k);
        /* A command about vLPIs: KVM's ITS has none, so the slot gets bytes that are no command. */
        bool virtual_lpis = w[0] < machine.is.itss && (machine.is.its_typer[w[0]] & GITS_TYPER_VIRTUAL) && (quads[0] & 0x20);
        if (virtual_lpis)
            memset(quads, 0, sizeof quads);
        store(n, wide(w + 1), 32, quads);
        if (virtual_lpis)
            skip(n, NO_VIRTUAL_LPI);
        return;
    case MSI_WRITE:
        if (w[0] >= machine.is.itss) {
            skip(n, NO_PLACE);
            return;
        }
        /* An MSI that the ITS drops is an error of the call, and has been done. */
        error = send_msi(w[0], w[1], w[2]);
        if (error < 0 && error != -EINVAL && error != -ENOENT && error != -EFAULT && error != -EBUSY)
            skip(n, NO_MSI);
        break;
    case WIRE_SET:
        if (w[0] < 16 || w[0] >= machine.intids || (w[0] < 32 && s->pe < 0)) {
            skip(n, NO_LINE);
            return;
        }
        if (w[0] < 32 && w[0] - machine.timer_ppi < 2) {
            skip(n, NO_TIMER);
            return;
        }
        /* KVM takes each call with a high level as an edge, and a line that stays high has none. */
        if (lines_high[w[0] < 32 ? s->pe : 0][w[0]] == (w[1] & 1))
            break;
        if (set_line(s->pe, w[0], w[1] & 1) < 0)
            skip(n, NO_LINE);
        else
            lines_high[w[0] < 32 ? s->pe : 0][w[0]] = w[1] & 1;
        break;
    case PE_RESET:
        if (s->pe < 0) {
            skip(n, NO_PLACE);
            return;
        }
        vcpu_reset((unsigned)s->pe);
        groups_reset((unsigned)s->pe);
        break;
    }
    look_at_others(n, -1);
}
