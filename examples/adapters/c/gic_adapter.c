/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An adapter for gictrace: a small GICv3 of one Security state, behind the protocol of docs/adapter.md. It has SGIs,
 * PPIs and SPIs with their registers, affinity routing and the physical CPU interface. It has no LPIs, no ITS, no
 * virtual interface, no 1 of N, no extended ranges: accesses to those are skipped, each with its reason.
 *
 *   cc -std=c99 -O2 -o gic_adapter gic_adapter.c
 *   gictrace replay boot.gictrace --on exec:./gic_adapter
 *
 * The protocol begins at main(). Above it is the model, in which each register follows its description in IHI 0069.
 * Replace it by your own model: step() takes one stimulus.
 */
#include "wire.h"

#define PES_MAX 512
#define WORDS 32 /* of 32 INTIDs */
#define SPURIOUS 1023
#define IDLE 0xff

/* Kinds of records (docs/records.md). */
enum { MMIO_READ = 1, MMIO_WRITE, SYSREG_READ, SYSREG_WRITE, WIRE_SET = 10, PE_RESET, HPPI = 64, SGI_SENT = 78 };
enum { FRAME_GICD, FRAME_GICR };
enum { GROUP0 = 0, GROUP1 = 2 };
enum { DONE, RESERVED, SKIPPED };

/* Why a stimulus is skipped: the hello names these. */
enum { WHY_KIND, WHY_REGISTER, WHY_WIDTH, WHY_SYSREG, WHY_PLACE, WHY_ONE_OF_N };
static const char *const reasons[] = {
    "gic_adapter: stimulus not taken",
    "gic_adapter: register not modelled",
    "gic_adapter: width of the access not modelled",
    "gic_adapter: system register not modelled",
    "gic_adapter: no such PE, frame or interrupt",
    "gic_adapter: 1 of N not modelled",
};

/* ---- state ------------------------------------------------------------------------------------------------ */

/* 32 interrupts, one bit for each. */
struct bank {
    uint32_t group, enable, pending, active, level, edge;
};

struct pe {
    uint32_t affinity;
    struct bank own; /* SGIs and PPIs */
    uint8_t priority[32];
    uint32_t waker;
    uint32_t pmr, bpr0, bpr1, ctlr, igrpen0, igrpen1, ap0r[4], ap1r[4];
    uint32_t hppi[5]; /* INTID, group, priority, FIQ, IRQ: as last shown */
};

static struct gic {
    uint32_t ctlr;
    struct bank spi[WORDS];
    uint8_t priority[32 * WORDS];
    uint64_t route[32 * WORDS];
    struct pe pe[PES_MAX];
} gic, kept[2];

static struct {
    unsigned pes, irqs, priority_bits, intid_bits;
    uint32_t gicd_typer, gicd_iidr, gicd_pidr2, gicr_typer, gicr_iidr, gicr_pidr2;
    bool waker_gates, route_keeps_reserved;
} cfg;

/* ---- what is answered ------------------------------------------------------------------------------------- */

static uint32_t batch_number;
static size_t items_at; /* where the number of items is patched in */
static unsigned items;

static void begin_answers(void)
{
    put_array(4);
    put_uint(MSG_BATCH);
    put_uint(batch_number);
    put_byte(1); /* last; patched where it is not */
    put_byte(0xdc);
    items_at = out_at;
    put_big_endian(0, 2);
    items = 0;
}

static void end_answers(bool last)
{
    wire_out[items_at - 2] = last;
    wire_out[items_at] = (uint8_t)(items >> 8);
    wire_out[items_at + 1] = (uint8_t)items;
    send_message();
}

static void begin_item(unsigned values)
{
    if (out_at > MESSAGE_MAX - 256) {
        end_answers(false);
        begin_answers();
    }
    items++;
    put_array(values);
}

static void answer(uint64_t value)
{
    begin_item(3);
    put_uint(DONE);
    put_uint((uint32_t)value);
    put_uint((uint32_t)(value >> 32));
}

static void skip(uint32_t why)
{
    begin_item(2);
    put_uint(SKIPPED);
    put_uint(why);
}

/* An observable of a PE; no flags. */
static void show(unsigned kind, unsigned pe, const uint32_t *words, unsigned count)
{
    begin_item(3 + count);
    put_uint(kind);
    put_uint(pe + 1);
    put_uint(0);
    for (unsigned k = 0; k < count; k++)
        put_uint(words[k]);
}

/* ---- arbitration ------------------------------------------------------------------------------------------ */

static uint32_t pending_of(const struct bank *b)
{
    return b->pending | (~b->edge & b->level);
}

/* Pending, enabled, not active, and of a group that the Distributor forwards. */
static uint32_t candidates(const struct bank *b)
{
    uint32_t forwarded = (gic.ctlr & 2 ? b->group : 0) | (gic.ctlr & 1 ? ~b->group : 0);
    return pending_of(b) & b->enable & ~b->active & forwarded;
}

static int lowest(uint32_t bits)
{
    int bit = 0;
    while (!(bits >> bit & 1))
        bit++;
    return bit;
}

static unsigned least_binary_point(void)
{
    return 7 - (cfg.priority_bits < 7 ? cfg.priority_bits : 7);
}

static unsigned preemption_shift(void)
{
    return least_binary_point() + 1;
}

static unsigned running_priority(const struct pe *p)
{
    for (int n = 0; n < 4; n++)
        if (p->ap0r[n] | p->ap1r[n])
            return (unsigned)(32 * n + lowest(p->ap0r[n] | p->ap1r[n])) << preemption_shift() & 0xff;
    return IDLE;
}

static unsigned group_mask(const struct pe *p, unsigned group)
{
    unsigned point = group == GROUP0 || (p->ctlr & 1) ? p->bpr0 : p->bpr1 - 1;
    return 0xffu << (point + 1) & 0xff;
}

static bool signalled(const struct pe *p, unsigned group, unsigned priority)
{
    if (priority == IDLE || !(group == GROUP0 ? p->igrpen0 : p->igrpen1) || priority >= p->pmr)
        return false;
    if (cfg.waker_gates && (p->waker & 2))
        return false;
    unsigned running = running_priority(p), mask = group_mask(p, group);
    return running == IDLE || (priority & mask) < (running & mask);
}

/* Arbitrates for each PE again, and shows what has changed. */
static void settle(void)
{
    static uint32_t best[PES_MAX], best_priority[PES_MAX];
    for (unsigned n = 0; n < cfg.pes; n++)
        best_priority[n] = IDLE;
    for (unsigned word = 1; 32 * word < cfg.irqs; word++)
        for (uint32_t pend = candidates(&gic.spi[word]); pend; pend &= pend - 1) {
            unsigned intid = 32 * word + (unsigned)lowest(pend);
            uint32_t affinity = (uint32_t)(gic.route[intid] >> 8 & 0xff000000) | (gic.route[intid] & 0xffffff);
            for (unsigned n = 0; n < cfg.pes; n++)
                if (gic.pe[n].affinity == affinity) {
                    if (gic.priority[intid] < best_priority[n]) {
                        best[n] = intid;
                        best_priority[n] = gic.priority[intid];
                    }
                    break;
                }
        }
    for (unsigned n = 0; n < cfg.pes; n++) {
        struct pe *p = &gic.pe[n];
        uint32_t now[5] = { SPURIOUS, GROUP0, IDLE, 0, 0 };
        for (uint32_t pend = candidates(&p->own); pend; pend &= pend - 1) {
            unsigned intid = (unsigned)lowest(pend);
            if (p->priority[intid] < now[2]) {
                now[0] = intid;
                now[1] = p->own.group >> intid & 1 ? GROUP1 : GROUP0;
                now[2] = p->priority[intid];
            }
        }
        if (best_priority[n] < now[2]) {
            now[0] = best[n];
            now[1] = gic.spi[best[n] / 32].group >> best[n] % 32 & 1 ? GROUP1 : GROUP0;
            now[2] = best_priority[n];
        }
        if (signalled(p, now[1], now[2]))
            now[now[1] == GROUP0 ? 3 : 4] = 1;
        if (memcmp(now, p->hppi, sizeof now) != 0) {
            memcpy(p->hppi, now, sizeof now);
            show(HPPI, n, now, 5);
        }
    }
}

/* ---- registers over interrupts, which Distributor and Redistributors have alike --------------------------- */

/* The bank of element n, or NULL if it is RAZ/WI. The bank belongs to a PE if p is not NULL. */
static struct bank *bank_of(struct pe *p, unsigned n)
{
    if (p)
        return n == 0 ? &p->own : NULL;
    return n > 0 && 32 * n < cfg.irqs ? &gic.spi[n] : NULL;
}

static uint32_t spread(uint32_t bits) /* 16 bits to the odd bits of a word */
{
    uint32_t word = 0;
    for (int k = 0; k < 16; k++)
        word |= (bits >> k & 1) << (2 * k + 1);
    return word;
}

static uint32_t gather(uint32_t word)
{
    uint32_t bits = 0;
    for (int k = 0; k < 16; k++)
        bits |= (word >> (2 * k + 1) & 1) << k;
    return bits;
}

/*
 * An access at an offset from 0x80 to 0xfff of the Distributor or of SGI_base. Returns false if there is no such register,
 * or if it does not support the width; *why says which.
 */
static bool irq_register(struct pe *p, uint32_t offset, unsigned width, bool write, uint32_t *value, uint32_t *why)
{
    unsigned n = (offset & 0x7f) / 4;
    *why = WHY_WIDTH;
    if (offset >= 0x400 && offset < 0x800 + (p ? 0 : 0x400)) { /* IPRIORITYR; ITARGETSR */
        if ((width != 1 && width != 4) || offset % width)
            return false;
        uint32_t result = 0;
        for (unsigned k = 0; k < width; k++) {
            unsigned intid = (offset & 0x3ff) + k;
            bool exists = offset < 0x800 && bank_of(p, intid / 32) != NULL;
            uint8_t *byte = p ? &p->priority[intid & 31] : &gic.priority[intid];
            if (!exists)
                continue;
            if (write)
                *byte = (uint8_t)(*value >> (8 * k));
            result |= (uint32_t)*byte << (8 * k);
        }
        *value = result;
        return true;
    }
    if (width != 4 || offset % 4)
        return false;
    *why = WHY_REGISTER;
    if (p && (offset & 0x7f) && (offset & 0xf80) != 0xc00)
        return false; /* elements of extended PPIs */
    struct bank *b = bank_of(p, n);
    struct bank none = { 0, 0, 0, 0, 0, 0 };
    if (!b)
        b = &none;
    uint32_t old = *value;
    switch (offset & 0xf80) {
    case 0x080: /* IGROUPR */
        if (write)
            b->group = old;
        *value = b->group;
        break;
    case 0x100: /* ISENABLER */
    case 0x180: /* ICENABLER */
        if (write)
            b->enable = offset & 0x80 ? b->enable & ~old : b->enable | old;
        *value = b->enable;
        break;
    case 0x200: /* ISPENDR */
    case 0x280: /* ICPENDR */
        if (write)
            b->pending = offset & 0x80 ? b->pending & ~old : b->pending | old;
        *value = pending_of(b);
        break;
    case 0x300: /* ISACTIVER */
    case 0x380: /* ICACTIVER */
        if (write)
            b->active = offset & 0x80 ? b->active & ~old : b->active | old;
        *value = b->active;
        break;
    case 0xc00: /* ICFGR: two of them to a word of 32 interrupts */
    case 0xc80:
        n = (offset & 0xff) / 4;
        if (p && n > 1)
            return false;
        b = bank_of(p, n / 2);
        if (b && write && !(p && n == 0)) {
            unsigned shift = 16 * (n & 1);
            b->edge = (b->edge & ~(0xffffu << shift)) | gather(old) << shift;
        }
        *value = b ? spread(b->edge >> 16 * (n & 1) & 0xffff) : 0;
        break;
    case 0xd00: /* IGRPMODR and NSACR: RAZ/WI with one Security state */
    case 0xe00:
    case 0xe80:
        *value = 0;
        break;
    default:
        return false;
    }
    return true;
}

static uint32_t id_register(uint32_t offset, unsigned pidr0, uint32_t pidr2)
{
    static const uint8_t ids[12] = { 0x44, 0, 0, 0, 0x92, 0xb4, 0x0b, 0, 0x0d, 0xf0, 0x05, 0xb1 };
    unsigned n = (offset - 0xffd0) / 4;
    return n == 4 ? pidr0 : n == 6 ? pidr2 : ids[n];
}

/* One half of a 64-bit register, or both. */
static uint64_t part(uint64_t whole, uint32_t offset, unsigned width)
{
    return width == 8 ? whole : offset & 4 ? whole >> 32 : (uint32_t)whole;
}

static bool distributor(uint32_t offset, unsigned width, bool write, uint64_t *value, uint32_t *why)
{
    const bool one_of_n = !(cfg.gicd_typer & 1u << 25);
    uint32_t low = (uint32_t)*value;
    bool known;
    *why = WHY_WIDTH;
    if (offset >= 0x6100 && offset < 0x8000) { /* GICD_IROUTER<n> */
        unsigned intid = (offset - 0x6000) / 8;
        if ((width != 4 && width != 8) || offset % width || intid > 1019)
            return false;
        if (intid >= cfg.irqs) {
            *value = 0;
            return true;
        }
        uint64_t route = gic.route[intid];
        if (write) {
            uint64_t keep = width == 8 ? 0 : offset & 4 ? 0xffffffffu : 0xffffffffull << 32;
            route = (route & keep) | (offset & 4 ? *value << 32 : *value);
            if (!cfg.route_keeps_reserved)
                route &= one_of_n ? 0xff80ffffffull : 0xff00ffffffull;
            if (one_of_n && (route & 0x80000000u)) {
                *why = WHY_ONE_OF_N;
                return false;
            }
            gic.route[intid] = route;
        }
        *value = part(route, offset, width);
        return true;
    }
    if (offset >= 0x80 && offset < 0xf00) {
        known = irq_register(NULL, offset, width, write, &low, why);
        *value = low;
        return known;
    }
    if (width != 4 || offset % 4)
        return false;
    switch (offset) {
    case 0x0: /* GICD_CTLR: DS and ARE are one */
        if (write) {
            uint32_t writable = 3 | (one_of_n ? 0x80 : 0);
            gic.ctlr = (gic.ctlr & ~writable) | (low & writable);
        }
        *value = gic.ctlr;
        return true;
    case 0x4: /* GICD_TYPER: SecurityExtn is RES0 with one Security state */
        *value = cfg.gicd_typer & ~0x400u;
        return true;
    case 0x8:
        *value = cfg.gicd_iidr;
        return true;
    default:
        *why = WHY_REGISTER;
        if (offset < 0xffd0 || offset > 0xfffc)
            return false;
        *value = id_register(offset, 0x92, cfg.gicd_pidr2);
        return true;
    }
}

static bool redistributor(unsigned n, uint32_t offset, unsigned width, bool write, uint64_t *value, uint32_t *why)
{
    struct pe *p = &gic.pe[n];
    uint32_t low = (uint32_t)*value;
    *why = WHY_REGISTER;
    if (offset >= 0x10080 && offset < 0x10f00) {
        bool known = irq_register(p, offset - 0x10000, width, write, &low, why);
        *value = low;
        return known;
    }
    if (offset == 0x8 || offset == 0xc) { /* GICR_TYPER */
        if ((width != 4 && width != 8) || offset % width) {
            *why = WHY_WIDTH;
            return false;
        }
        uint64_t typer = (cfg.gicr_typer | n << 8 | (n == cfg.pes - 1 ? 0x10 : 0)) | (uint64_t)p->affinity << 32;
        *value = part(typer, offset, width);
        return true;
    }
    if (width != 4 || offset % 4) {
        *why = WHY_WIDTH;
        return false;
    }
    switch (offset) {
    case 0x4:
        *value = cfg.gicr_iidr;
        return true;
    case 0x14: /* GICR_WAKER: ChildrenAsleep follows ProcessorSleep at once */
        if (write)
            p->waker = low & 2 ? 6 : 0;
        *value = p->waker;
        return true;
    default:
        if (offset < 0xffd0 || offset > 0xfffc)
            return false;
        *value = id_register(offset, 0x93, cfg.gicr_pidr2);
        return true;
    }
}

/* ---- the CPU interface ------------------------------------------------------------------------------------ */

/* op0:op1:CRn:CRm:op2 as a trace has it. */
enum {
    ICC_PMR = 0xc230, ICC_IAR0 = 0xc640, ICC_EOIR0, ICC_HPPIR0, ICC_BPR0, ICC_AP0R0, ICC_AP1R0 = 0xc648,
    ICC_DIR = 0xc659, ICC_RPR = 0xc65b, ICC_SGI1R = 0xc65d, ICC_ASGI1R, ICC_SGI0R, ICC_IAR1 = 0xc660, ICC_EOIR1,
    ICC_HPPIR1, ICC_BPR1, ICC_CTLR, ICC_SRE, ICC_IGRPEN0, ICC_IGRPEN1
};

static uint32_t *active_priorities(struct pe *p, unsigned group)
{
    return group == GROUP0 ? p->ap0r : p->ap1r;
}

/* What ICC_HPPIR0 or ICC_HPPIR1 reads. */
static uint32_t visible(const struct pe *p, bool group_one)
{
    bool of_group_one = p->hppi[1] != GROUP0;
    if (p->hppi[2] == IDLE || !(of_group_one ? p->igrpen1 : p->igrpen0) || of_group_one != group_one)
        return SPURIOUS;
    return p->hppi[0];
}

static uint32_t acknowledge(struct pe *p, bool group_one)
{
    uint32_t intid = visible(p, group_one), group = p->hppi[1], priority = p->hppi[2];
    if (intid == SPURIOUS || !signalled(p, group, priority))
        return SPURIOUS;
    unsigned level = (priority & group_mask(p, group)) >> preemption_shift();
    active_priorities(p, group)[level / 32] |= 1u << level % 32;
    struct bank *b = intid < 32 ? &p->own : &gic.spi[intid / 32];
    b->active |= 1u << intid % 32;
    b->pending &= ~(1u << intid % 32);
    return intid;
}

static void deactivate(struct pe *p, uint32_t intid)
{
    if (intid < cfg.irqs)
        (intid < 32 ? &p->own : &gic.spi[intid / 32])->active &= ~(1u << intid % 32);
}

static void end_of_interrupt(struct pe *p, uint32_t intid, bool group_one)
{
    if (intid < 8192 && intid >= cfg.irqs)
        return;
    for (int n = 0; n < 4; n++) {
        uint32_t any = p->ap0r[n] | p->ap1r[n];
        if (!any)
            continue;
        unsigned group = p->ap0r[n] & any & (~any + 1) ? GROUP0 : GROUP1;
        if ((group != GROUP0) != group_one)
            return;
        active_priorities(p, group)[n] &= active_priorities(p, group)[n] - 1;
        settle(); /* the priority drops, and then the interrupt is deactivated: the PE may be signalled twice */
        if (!(p->ctlr & 2))
            deactivate(p, intid);
        return;
    }
}

static void generate_sgi(unsigned from, uint64_t value, bool group_one)
{
    uint32_t intid = value >> 24 & 0xf, range = value >> 44 & 0xf;
    uint32_t cluster = (uint32_t)(value >> 48 & 0xff) << 24 | (uint32_t)(value >> 32 & 0xff) << 16 |
                       (uint32_t)(value >> 16 & 0xff) << 8;
    for (unsigned to = 0; to < cfg.pes; to++) {
        struct pe *p = &gic.pe[to];
        uint32_t aff0 = p->affinity & 0xff;
        bool named = (p->affinity & ~0xffu) == cluster && aff0 >> 4 == range && (value >> (aff0 & 0xf) & 1);
        if (value >> 40 & 1 ? to == from : !named)
            continue;
        /* A request for Group 1 reaches Group 0 too; the other way round it does not. */
        if (!group_one && (p->own.group >> intid & 1))
            continue;
        show(SGI_SENT, to, &intid, 1);
        p->own.pending |= 1u << intid;
    }
}

static uint32_t ctlr_reset(void)
{
    uint32_t a3v = 0x8000, rss = cfg.gicd_typer & 0x4000000 ? 0x40000 : 0;
    uint32_t ext_range = cfg.gicd_typer & 0x100 || cfg.gicr_typer >> 27 ? 0x80000 : 0;
    return (cfg.intid_bits == 24 ? 1u << 11 : 0) | (cfg.priority_bits - 1) << 8 | a3v | rss | ext_range;
}

static void reset_interface(struct pe *p)
{
    p->pmr = p->igrpen0 = p->igrpen1 = 0;
    p->bpr0 = least_binary_point();
    p->bpr1 = p->bpr0 + 1;
    p->ctlr = ctlr_reset();
    memset(p->ap0r, 0, sizeof p->ap0r);
    memset(p->ap1r, 0, sizeof p->ap1r);
}

static uint32_t at_least(uint32_t value, uint32_t least)
{
    return (value < least ? least : value) & 7;
}

static bool read_sysreg(struct pe *p, uint32_t reg, uint64_t *value)
{
    switch (reg) {
    case ICC_IAR0: *value = acknowledge(p, false); return true;
    case ICC_IAR1: *value = acknowledge(p, true); return true;
    case ICC_HPPIR0: *value = visible(p, false); return true;
    case ICC_HPPIR1: *value = visible(p, true); return true;
    case ICC_RPR: *value = running_priority(p); return true;
    case ICC_PMR: *value = p->pmr; return true;
    case ICC_BPR0: *value = p->bpr0; return true;
    case ICC_BPR1: *value = p->ctlr & 1 ? (p->bpr0 < 7 ? p->bpr0 + 1 : 7) : p->bpr1; return true;
    case ICC_CTLR: *value = p->ctlr; return true;
    case ICC_SRE: *value = 7; return true;
    case ICC_IGRPEN0: *value = p->igrpen0; return true;
    case ICC_IGRPEN1: *value = p->igrpen1; return true;
    default:
        if (reg >= ICC_AP0R0 && reg < ICC_AP0R0 + 4)
            *value = p->ap0r[reg - ICC_AP0R0];
        else if (reg >= ICC_AP1R0 && reg < ICC_AP1R0 + 4)
            *value = p->ap1r[reg - ICC_AP1R0];
        else
            return false;
        return true;
    }
}

static bool write_sysreg(unsigned n, uint32_t reg, uint64_t value)
{
    struct pe *p = &gic.pe[n];
    uint32_t low = (uint32_t)value, levels = cfg.priority_bits < 7 ? cfg.priority_bits : 7;
    unsigned sets = levels > 5 ? 1u << (levels - 5) : 1;
    switch (reg) {
    case ICC_EOIR0: end_of_interrupt(p, low & 0xffffff, false); return true;
    case ICC_EOIR1: end_of_interrupt(p, low & 0xffffff, true); return true;
    case ICC_DIR:
        if (p->ctlr & 2)
            deactivate(p, low & 0xffffff);
        return true;
    case ICC_PMR: p->pmr = low & (0xffu << (8 - cfg.priority_bits)) & 0xff; return true;
    case ICC_BPR0: p->bpr0 = at_least(low, least_binary_point()); return true;
    case ICC_BPR1:
        if (!(p->ctlr & 1))
            p->bpr1 = at_least(low, least_binary_point() + 1);
        return true;
    case ICC_CTLR: p->ctlr = (p->ctlr & ~3u) | (low & 3); return true;
    case ICC_SRE: return true;
    case ICC_IGRPEN0: p->igrpen0 = low & 1; return true;
    case ICC_IGRPEN1: p->igrpen1 = low & 1; return true;
    case ICC_SGI1R: generate_sgi(n, value, true); return true;
    case ICC_SGI0R:
    case ICC_ASGI1R: generate_sgi(n, value, false); return true;
    default:
        if (reg >= ICC_AP0R0 && reg < ICC_AP0R0 + 4) {
            if (reg - ICC_AP0R0 < sets)
                p->ap0r[reg - ICC_AP0R0] = low;
        } else if (reg >= ICC_AP1R0 && reg < ICC_AP1R0 + 4) {
            if (reg - ICC_AP1R0 < sets)
                p->ap1r[reg - ICC_AP1R0] = low;
        } else {
            return false;
        }
        return true;
    }
}

/* ---- a stimulus ------------------------------------------------------------------------------------------- */

static void set_wire(struct pe *p, uint32_t intid, bool level)
{
    struct bank *b = p ? &p->own : &gic.spi[intid / 32];
    uint32_t bit = 1u << intid % 32;
    if (level && !(b->level & bit) && (b->edge & bit))
        b->pending |= bit; /* a rising edge is latched */
    b->level = level ? b->level | bit : b->level & ~bit;
}
static bool is_writable(uint32_t reg)
{
    if (reg == ICC_IAR0 || reg == ICC_HPPIR0 || reg == ICC_IAR1 || reg == ICC_HPPIR1)
        return false;
    return reg == ICC_PMR || (reg >= ICC_IAR0 && reg <= ICC_AP1R0 + 3) || reg == ICC_DIR ||
           (reg >= ICC_SGI1R && reg <= ICC_IGRPEN1);
}

static void mmio(bool write, const uint32_t *w)
{
    uint32_t frame = w[0], instance = w[1], offset = w[2], width = w[3], why = WHY_PLACE;
    uint64_t value = write ? w[4] | (uint64_t)w[5] << 32 : 0;
    bool known = false;
    if (width != 1 && width != 2 && width != 4 && width != 8)
        why = WHY_WIDTH;
    else if (frame == FRAME_GICD && instance == 0)
        known = distributor(offset, width, write, &value, &why);
    else if (frame == FRAME_GICR && instance < cfg.pes)
        known = redistributor(instance, offset, width, write, &value, &why);
    if (known)
        answer(write ? 0 : value);
    else
        skip(why);
}

/* Takes a stimulus: its response first, then what it caused. */
static void step(uint32_t kind, uint32_t pe_plus_1, const uint32_t *w, unsigned words)
{
    static const unsigned words_of[] = { [MMIO_READ] = 6, [MMIO_WRITE] = 6, [SYSREG_READ] = 3,
                                         [SYSREG_WRITE] = 3, [WIRE_SET] = 2, [PE_RESET] = 0 };
    struct pe *p = pe_plus_1 >= 1 && pe_plus_1 <= cfg.pes ? &gic.pe[pe_plus_1 - 1] : NULL;
    uint64_t value = 0;
    if (kind < MMIO_READ || kind > PE_RESET || (kind > SYSREG_WRITE && kind < WIRE_SET) || words != words_of[kind]) {
        skip(WHY_KIND);
        return;
    }
    switch (kind) {
    case MMIO_READ:
    case MMIO_WRITE:
        mmio(kind == MMIO_WRITE, w);
        break;
    case SYSREG_READ:
        if (!p)
            skip(WHY_PLACE);
        else if (read_sysreg(p, w[0], &value))
            answer(value);
        else
            skip(WHY_SYSREG);
        break;
    case SYSREG_WRITE:
        if (!p || !is_writable(w[0])) {
            skip(p ? WHY_SYSREG : WHY_PLACE);
            break;
        }
        answer(0);
        write_sysreg(pe_plus_1 - 1, w[0], w[1] | (uint64_t)w[2] << 32);
        break;
    case WIRE_SET:
        if (w[0] >= cfg.irqs || (w[0] < 32 && !p)) {
            skip(WHY_PLACE);
            break;
        }
        answer(0);
        set_wire(w[0] < 32 ? p : NULL, w[0], w[1] & 1);
        break;
    case PE_RESET:
        if (!p) {
            skip(WHY_PLACE);
            break;
        }
        answer(0);
        reset_interface(p);
        break;
    }
    settle();
}

/* ---- the protocol ----------------------------------------------------------------------------------------- */

static void hello(void)
{
    static const char *const stimuli[] = { "mmio.read", "mmio.write", "sysreg.read", "sysreg.write",
                                           "wire.set", "pe.reset" };
    static const char *const observables[] = { "hppi", "sgi.sent" };
    uint32_t version = 0;
    for (uint32_t left = get_map(); left > 0; left--) {
        char key[32];
        get_text(key, sizeof key);
        if (strcmp(key, "protocol") == 0)
            version = get_uint();
        else
            skip_value();
    }
    if (version != 1)
        give_up("this adapter speaks version 1 of the protocol");
    put_array(2);
    put_uint(MSG_HELLO);
    put_map(9);
    put_text("protocol");
    put_uint(1);
    put_text("name");
    put_text("gic_adapter.c");
    put_text("version");
    put_text("1");
    put_text("stimuli");
    put_texts(stimuli, sizeof stimuli / sizeof *stimuli);
    put_text("observables");
    put_texts(observables, sizeof observables / sizeof *observables);
    put_text("events");
    put_texts(NULL, 0);
    put_text("reserved"); /* it answers accesses to its registers only, and those are not reserved */
    put_bool(true);
    put_text("snapshots");
    put_uint(sizeof kept / sizeof *kept);
    put_text("reasons");
    put_texts(reasons, sizeof reasons / sizeof *reasons);
    send_message();
}

static void reset(void)
{
    memset(&gic, 0, sizeof gic);
    memset(&cfg, 0, sizeof cfg);
    cfg.waker_gates = true;
    for (uint32_t left = get_map(); left > 0; left--) {
        char key[32], profile[32];
        get_text(key, sizeof key);
        if (strcmp(key, "affinities") == 0) {
            cfg.pes = get_array();
            if (cfg.pes > PES_MAX)
                give_up("more than 512 PEs");
            for (unsigned n = 0; n < cfg.pes; n++)
                gic.pe[n].affinity = get_uint();
        } else if (strcmp(key, "gicd_typer") == 0) {
            cfg.gicd_typer = get_uint();
        } else if (strcmp(key, "gicd_iidr") == 0) {
            cfg.gicd_iidr = get_uint();
        } else if (strcmp(key, "gicd_pidr2") == 0) {
            cfg.gicd_pidr2 = get_uint();
        } else if (strcmp(key, "gicr_typer") == 0) {
            cfg.gicr_typer = get_uint();
        } else if (strcmp(key, "gicr_iidr") == 0) {
            cfg.gicr_iidr = get_uint();
        } else if (strcmp(key, "gicr_pidr2") == 0) {
            cfg.gicr_pidr2 = get_uint();
        } else if (strcmp(key, "priority_bits") == 0) {
            cfg.priority_bits = get_uint();
        } else if (strcmp(key, "intid_bits") == 0) {
            cfg.intid_bits = get_uint();
        } else if (strcmp(key, "profile") == 0) {
            /* IMPLEMENTATION DEFINED behaviour should follow the recording's GIC. */
            get_text(profile, sizeof profile);
            cfg.waker_gates = strcmp(profile, "qemu-virt") != 0 && strcmp(profile, "kvm") != 0;
            cfg.route_keeps_reserved = strcmp(profile, "qemu-virt") == 0;
        } else {
            skip_value();
        }
    }
    if (cfg.gicd_typer & 0x400)
        give_up("two Security states are not modelled");
    if (cfg.gicd_typer & 0x200)
        give_up("non-maskable interrupts are not modelled");
    cfg.irqs = 32 * ((cfg.gicd_typer & 0x1f) + 1);
    if (cfg.irqs > 1020)
        cfg.irqs = 1020;
    gic.ctlr = 0x50;
    for (unsigned n = 0; n < cfg.pes; n++) {
        struct pe *p = &gic.pe[n];
        p->own.edge = 0xffff; /* SGIs */
        p->waker = 6;
        p->hppi[0] = SPURIOUS;
        p->hppi[2] = IDLE;
        reset_interface(p);
    }
    put_array(1);
    put_uint(MSG_RESET);
    send_message();
}

static void batch(void)
{
    batch_number = get_uint();
    begin_answers();
    for (uint32_t left = get_array(); left > 0; left--) {
        uint32_t words[16] = { 0 }, count = get_array();
        if (count < 3)
            give_up("a stimulus of less than three values");
        uint32_t kind = get_uint(), pe = get_uint();
        get_uint(); /* flags: with one Security state nothing */
        for (uint32_t k = 0; k < count - 3; k++) {
            uint32_t word = get_uint();
            if (k < 16)
                words[k] = word;
        }
        step(kind, pe, words, count - 3);
    }
    end_answers(true);
}

static void snapshot(bool restore)
{
    uint32_t slot = get_uint();
    if (slot >= sizeof kept / sizeof *kept)
        give_up("there is no such slot");
    if (restore)
        gic = kept[slot];
    else
        kept[slot] = gic;
    put_array(2);
    put_uint(restore ? MSG_RESTORE : MSG_SNAPSHOT);
    put_uint(slot);
    send_message();
}

int main(void)
{
    while (next_message()) {
        get_array();
        switch (get_uint()) {
        case MSG_HELLO:
            hello();
            break;
        case MSG_RESET:
            reset();
            break;
        case MSG_BATCH:
            if (cfg.pes == 0)
                give_up("a batch before the first reset");
            batch();
            break;
        case MSG_SNAPSHOT:
            snapshot(false);
            break;
        case MSG_RESTORE:
            snapshot(true);
            break;
        case MSG_BYE:
            return 0;
        default:
            give_up("there is no such message");
        }
        fflush(stdout);
    }
    return 0;
}
