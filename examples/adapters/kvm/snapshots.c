/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of KVM's GIC and ITSs through KVM's own interface for saving and restoring them, and the guest's memory, in
 * which ITSs and LPIs keep their tables then. A state is restored into a machine that has just been made. What KVM does not
 * save is lost, as in a migration: which LPIs have been acknowledged and not ended, and what it had on its lists.
 */
#define _GNU_SOURCE
#include "snapshots.h"
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "stimuli.h"

/* One attribute of a device, in the order in which it is restored. */
struct attribute {
    int device; /* -1: the GIC; otherwise the ITS of this number */
    uint32_t group;
    uint64_t number, value;
    bool fixed; /* the value is not the saved one */
};

static struct slot {
    struct configuration is;
    struct attribute *attributes;
    unsigned count;
    int memory;
    uint8_t lines_high[PES_MAX][1024];
    struct signal signalled[PES_MAX];
} slots[SNAPSHOTS];

static struct slot *filling;
static unsigned room;

static void plan(int device, uint32_t group, uint64_t number, bool fixed, uint64_t value)
{
    if (filling->count == room) {
        room = room == 0 ? 4096 : 2 * room;
        filling->attributes = realloc(filling->attributes, room * sizeof *filling->attributes);
        if (filling->attributes == NULL)
            abandon("no memory for a snapshot");
    }
    filling->attributes[filling->count++] = (struct attribute){ device, group, number, value, fixed };
}

/* Registers of 32 bits from an offset on, for `intids` interrupts of which each register has `each`. */
static void plan_array(uint32_t group, uint64_t pe, uint32_t offset, unsigned first, unsigned intids, unsigned each)
{
    for (unsigned intid = first; intid < intids; intid += each)
        plan(-1, group, pe | (offset + 4 * (intid / each)), false, 0);
}

/* Interrupts: what they are first, and whether they are pending, active and enabled last, as KVM acts on these. */
static void plan_interrupts(uint32_t group, uint64_t pe, uint32_t frame, unsigned first, unsigned intids)
{
    static const uint16_t clearing[] = { 0x180 }, bitmaps[] = { 0x200, 0x300, 0x100 }; /* ICENABLER; ISPENDR, ISACTIVER, ISENABLER */
    plan_array(group, pe, frame + 0x80, first, intids, 32); /* IGROUPR */
    plan_array(group, pe, frame + 0x400, first, intids, 4); /* IPRIORITYR */
    plan_array(group, pe, frame + 0xc00, first, intids, 16); /* ICFGR */
    for (unsigned intid = first; intid < intids; intid += 32)
        plan(-1, group, pe | (frame + clearing[0] + intid / 8), true, 0xffffffff);
    /* The levels of input lines, before pending states that they are no part of. */
    for (unsigned intid = first; intid < intids; intid += 32)
        plan(-1, KVM_DEV_ARM_VGIC_GRP_LEVEL_INFO, pe | (VGIC_LEVEL_INFO_LINE_LEVEL << 10) | intid, false, 0);
    for (unsigned k = 0; k < sizeof bitmaps / sizeof *bitmaps; k++)
        plan_array(group, pe, frame + bitmaps[k], first, intids, 32);
}

static void plan_all(void)
{
    /* ICC_SRE, CTLR, PMR, BPR0, AP0R<n>, AP1R<n>, BPR1, IGRPEN0, IGRPEN1 */
    static const uint16_t interface[] = {
        0xc665, 0xc664, 0xc230, 0xc643, 0xc644, 0xc645, 0xc646, 0xc647, 0xc648, 0xc649, 0xc64a, 0xc64b, 0xc663, 0xc666, 0xc667,
    };
    const struct configuration *is = &machine.is;
    plan(-1, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0x8, false, 0); /* GICD_IIDR says which of its revisions KVM is */
    plan(-1, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0, false, 0); /* GICD_CTLR: before what would be overlooked while it is 0 */
    for (unsigned pe = 0; pe < is->pes; pe++) {
        uint64_t of = (uint64_t)is->affinity[pe] << 32;
        for (unsigned half = 0; half < 8; half += 4) {
            plan(-1, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, of | (0x70 + half), false, 0); /* GICR_PROPBASER */
            plan(-1, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, of | (0x78 + half), false, 0); /* GICR_PENDBASER */
        }
    }
    for (unsigned n = 32; n < machine.intids; n++) /* GICD_IROUTER<n>, whose upper half KVM does not have */
        plan(-1, KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0x6000 + 8 * n, false, 0);
    plan_interrupts(KVM_DEV_ARM_VGIC_GRP_DIST_REGS, 0, 0, 32, machine.intids);
    for (unsigned pe = 0; pe < is->pes; pe++) {
        uint64_t of = (uint64_t)is->affinity[pe] << 32;
        plan(-1, KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, of, false, 0); /* GICR_CTLR */
        plan_interrupts(KVM_DEV_ARM_VGIC_GRP_REDIST_REGS, of, 0x10000, 0, 32);
        for (unsigned k = 0; k < sizeof interface / sizeof *interface; k++)
            plan(-1, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS, of | interface[k], false, 0);
    }
    for (unsigned its = 0; its < is->itss; its++) {
        static const uint16_t registers[] = { 0x80, 0x4, 0x88, 0x90 }; /* GITS_CBASER, IIDR, CWRITER, CREADR */
        for (unsigned k = 0; k < sizeof registers / sizeof *registers; k++)
            plan((int)its, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, registers[k], false, 0);
        for (unsigned n = 0; n < 8; n++)
            plan((int)its, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, 0x100 + 8 * n, false, 0); /* GITS_BASER<n> */
        plan((int)its, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_ITS_RESTORE_TABLES, true, 0);
        plan((int)its, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, 0, false, 0); /* GITS_CTLR */
    }
}

static int device_of(const struct attribute *a)
{
    return a->device < 0 ? machine.gic : machine.its[a->device];
}

/* Some attributes hold 32 bits, and others 64. */
static int transfer(struct attribute *a, bool write)
{
    bool wide = a->group == KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS || a->group == KVM_DEV_ARM_VGIC_GRP_ITS_REGS;
    uint32_t low = (uint32_t)a->value;
    if (a->group == KVM_DEV_ARM_VGIC_GRP_CTRL)
        return write ? attribute(device_of(a), true, a->group, a->number, NULL) : 0;
    int error = attribute(device_of(a), write, a->group, a->number, wide ? (void *)&a->value : &low);
    if (!wide)
        a->value = low;
    return error;
}

static void clear(uint64_t address, uint64_t length)
{
    uint8_t *at = memory_at(address, length);
    if (at != NULL)
        memory_fill(at, length, 0);
}

/* A table of device entries in the guest's memory: clears it, or the translation tables that its entries name. */
static void clear_devices(uint64_t address, uint64_t length, bool itself)
{
    if (itself) {
        clear(address, length);
        return;
    }
    const uint64_t *entries = (const uint64_t *)memory_at(address, length);
    for (uint64_t k = 0; entries != NULL && k < length / 8; k++)
        if (entries[k] >> 63) /* Valid, Next, ITT_addr >> 8 from bit 5 on, Size */
            clear((entries[k] >> 5 & 0xfffffffffffull) << 8, 8ull << ((entries[k] & 31) + 1));
}

/*
 * KVM writes the entries that it has into the tables, and does not clear what else is there. When it restores them, it takes
 * whatever it finds for entries: events that were unmapped long ago, and bytes that were never any. So the tables are
 * cleared before: first those of devices, and when these say where they are, those of events.
 */
static const char *save_its(unsigned its)
{
    uint64_t baser = 0;
    attribute(machine.its[its], false, KVM_DEV_ARM_VGIC_GRP_ITS_REGS, 0x100, &baser); /* GITS_BASER0 */
    const uint64_t table = baser & 0xffffffff0000ull, bytes = ((baser & 0xff) + 1) << 16;
    const bool valid = baser >> 63, indirect = baser >> 62 & 1;
    for (int pass = 0; pass < 2; pass++) {
        if (valid && !indirect)
            clear_devices(table, bytes, pass == 0);
        const uint64_t *level1 = valid && indirect ? (const uint64_t *)memory_at(table, bytes) : NULL;
        for (uint64_t k = 0; level1 != NULL && k < bytes / 8; k++)
            if (level1[k] >> 63)
                clear_devices(level1[k] & 0xfffffffff0000ull, 0x10000, pass == 0);
        if (attribute(machine.its[its], true, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_ITS_SAVE_TABLES, NULL) < 0)
            return "KVM: an ITS cannot save its tables: KVM_DEV_ARM_ITS_SAVE_TABLES fails";
    }
    return NULL;
}

/* Copies what a file has of the guest's memory below the stub to another. */
static const char *copy_memory(int from, int to)
{
    static char block[1 << 16];
    off_t at = 0;
    while ((at = lseek(from, at, SEEK_DATA)) >= 0 && at < (off_t)PLACED_END) {
        off_t end = lseek(from, at, SEEK_HOLE);
        for (; at < end && at < (off_t)PLACED_END; at += sizeof block) {
            ssize_t got = pread(from, block, sizeof block, at);
            if (got < 0 || pwrite(to, block, (size_t)got, at) != got)
                return "KVM: the guest's memory cannot be copied";
        }
    }
    return NULL;
}

static void empty(struct slot *slot)
{
    if (slot->count > 0)
        close(slot->memory);
    free(slot->attributes);
    memset(slot, 0, sizeof *slot);
}

void snapshots_forget(void)
{
    for (unsigned k = 0; k < SNAPSHOTS; k++)
        empty(&slots[k]);
}

const char *snapshot_take(unsigned number)
{
    struct slot *slot = &slots[number];
    empty(slot);
    filling = slot;
    room = 0;
    slot->is = machine.is;
    for (unsigned its = 0; its < machine.is.itss; its++) {
        const char *why = save_its(its);
        if (why != NULL)
            return why;
    }
    if (machine.is.itss > 0 && attribute(machine.gic, true, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES, NULL) < 0)
        return "KVM: pending LPIs cannot be saved: KVM_DEV_ARM_VGIC_SAVE_PENDING_TABLES fails";
    plan_all();
    unsigned kept = 0;
    for (unsigned k = 0; k < slot->count; k++) {
        /* A register that this KVM does not have has no state. */
        if (!slot->attributes[k].fixed && transfer(&slot->attributes[k], false) < 0)
            continue;
        slot->attributes[kept++] = slot->attributes[k];
    }
    slot->count = kept;
    slot->memory = memfd_create("snapshot", MFD_CLOEXEC);
    if (slot->memory < 0)
        return "KVM: no memory for a snapshot";
    memcpy(slot->lines_high, lines_high, sizeof lines_high);
    memcpy(slot->signalled, signalled, sizeof signalled);
    return copy_memory(memory_file(), slot->memory);
}

const char *snapshot_restore(unsigned number)
{
    static char text[160];
    struct slot *slot = &slots[number];
    if (slot->count == 0)
        return "KVM: a restore of a slot that is empty";
    const char *why = machine_create(&slot->is);
    if (why == NULL)
        why = copy_memory(slot->memory, memory_file());
    for (unsigned k = 0; why == NULL && k < slot->count; k++) {
        struct attribute a = slot->attributes[k];
        int error = transfer(&a, true);
        if (error < 0 && a.group != KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS) {
            snprintf(text, sizeof text, "KVM: attribute 0x%llx of group %u cannot be restored: %s", (unsigned long long)a.number,
                     a.group, strerror(-error));
            why = text;
        }
    }
    memcpy(lines_high, slot->lines_high, sizeof lines_high);
    memcpy(signalled, slot->signalled, sizeof signalled);
    return why;
}
