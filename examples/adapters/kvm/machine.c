/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "machine.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "stub.h" /* stub_bin, made from stub.S */

#define MEMORY_SIZE (1ull << IPA_BITS)
#define FRAME_SIZE 0x10000ull
#define HOLES_MAX (PES_MAX + ITS_MAX + 2)

struct machine machine = { .vm = -1 };
bool watching = true;

static int kvm = -1, file = -1;
static uint8_t *memory;
static struct kvm_run *state[PES_MAX];
static size_t state_size;
static uint32_t slots[STUB_SLOTS_MAX];
static unsigned slots_used;
static unsigned active_registers = 1; /* ICC_AP0R<n>_EL1, and as many ICC_AP1R<n>_EL1 */

/* ---- faults ----------------------------------------------------------------------------------------------- */

void note(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fputs("gictrace-kvm: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
}

static void fail(const char *what)
{
    note("%s: %s", what, strerror(errno));
    exit(3);
}

static int must(int fd, unsigned long request, void *argument, const char *what)
{
    int result = ioctl(fd, request, argument);
    if (result < 0)
        fail(what);
    return result;
}

/* ---- attributes and registers ----------------------------------------------------------------------------- */

int attribute(int device, bool write, uint32_t group, uint64_t number, void *value)
{
    struct kvm_device_attr attr = { .group = group, .attr = number, .addr = (uint64_t)value };
    return ioctl(device, write ? KVM_SET_DEVICE_ATTR : KVM_GET_DEVICE_ATTR, &attr) < 0 ? -errno : 0;
}

static void set_attribute(int device, uint32_t group, uint64_t number, void *value, const char *what)
{
    int error = attribute(device, true, group, number, value);
    if (error < 0) {
        errno = -error;
        fail(what);
    }
}

static void set_register(unsigned pe, uint64_t id, uint64_t value, const char *what)
{
    struct kvm_one_reg one = { id, (uint64_t)&value };
    must(machine.vcpu[pe], KVM_SET_ONE_REG, &one, what);
}

#define CORE(field) (KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | (offsetof(struct kvm_regs, field) / 4))
#define SYSTEM(crn, crm, op2) ARM64_SYS_REG(3, 0, crn, crm, op2)

/* The vCPU starts in the stub, at EL1 with the MMU on; KVM sets everything else to its value after a reset. */
static void vcpu_init(unsigned pe)
{
    struct kvm_vcpu_init init;
    uint32_t affinity = machine.is.affinity[pe];
    memset(&init, 0, sizeof init);
    must(machine.vm, KVM_ARM_PREFERRED_TARGET, &init, "KVM_ARM_PREFERRED_TARGET");
    init.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
    must(machine.vcpu[pe], KVM_ARM_VCPU_INIT, &init, "KVM_ARM_VCPU_INIT");
    set_register(pe, SYSTEM(0, 0, 5), 1ull << 31 | (affinity & 0xffffff) | (uint64_t)(affinity >> 24) << 32, "MPIDR_EL1");
    set_register(pe, SYSTEM(2, 0, 0), STUB_BASE + STUB_TABLES, "TTBR0_EL1");
    /* T0SZ for 40 bits, cacheable and shareable walks, 4 KiB granule, no walks of TTBR1, addresses of 40 bits */
    set_register(pe, SYSTEM(2, 0, 2), (64 - IPA_BITS) | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | 2ull << 32, "TCR_EL1");
    set_register(pe, SYSTEM(10, 2, 0), 0x04ff, "MAIR_EL1"); /* 0: Normal write-back, 1: Device-nGnRE */
    set_register(pe, SYSTEM(1, 0, 0), 0x30d00800 | 1 << 12 | 1 << 2 | 1, "SCTLR_EL1");
    set_register(pe, CORE(regs.regs[0]), STUB_BASE + STUB_MAILBOXES + (uint64_t)pe * MAILBOX_SIZE, "x0");
    set_register(pe, CORE(regs.regs[1]), EXIT_PAGE, "x1");
    set_register(pe, CORE(regs.regs[2]), active_registers, "x2");
    set_register(pe, CORE(regs.pc), STUB_BASE, "pc");
}

/* Identity map of gigabytes: the stub's is memory, and all others are devices. */
static void make_tables(void)
{
    uint64_t *level0 = (uint64_t *)(memory + STUB_BASE + STUB_TABLES);
    for (unsigned half = 0; half < 2; half++) {
        uint64_t *level1 = level0 + 512 * (half + 1);
        level0[half] = (STUB_BASE + STUB_TABLES + 4096 * (half + 1)) | 3;
        for (uint64_t k = 0; k < 512; k++) {
            uint64_t address = (half * 512ull + k) << 30;
            bool stub = address == (STUB_BASE & ~0x3fffffffull);
            /* block, AF, inner shareable, EL1 only; MAIR index 1 and PXN for devices */
            level1[k] = address | 1 | 1 << 10 | 3 << 8 | 1ull << 54 | (stub ? 0 : 1 << 2 | 1ull << 53);
        }
    }
}

/* ---- memory ----------------------------------------------------------------------------------------------- */

struct range {
    uint64_t from, size;
};

static struct range holes[HOLES_MAX];
static unsigned hole_count;

static int by_address(const void *a, const void *b)
{
    const struct range *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* The frames of the GIC, and the exit page. Why they cannot be where they should be, or NULL. */
static const char *make_holes(const struct configuration *wanted)
{
    hole_count = 0;
    holes[hole_count++] = (struct range){ EXIT_PAGE, EXIT_SIZE };
    holes[hole_count++] = (struct range){ wanted->gicd_base, FRAME_SIZE };
    for (unsigned k = 0; k < wanted->pes; k++)
        holes[hole_count++] = (struct range){ wanted->gicr_base[k], 2 * FRAME_SIZE };
    for (unsigned k = 0; k < wanted->itss; k++)
        holes[hole_count++] = (struct range){ wanted->its_base[k], 2 * FRAME_SIZE };
    qsort(holes, hole_count, sizeof *holes, by_address);
    for (unsigned k = 0; k < hole_count; k++) {
        if (holes[k].from % FRAME_SIZE != 0)
            return "KVM: a frame of the GIC does not begin at a multiple of 64 KiB";
        if (holes[k].from + holes[k].size > STUB_BASE)
            return "KVM: a frame of the GIC is not below 1,023 GiB, which this adapter needs";
        if (k > 0 && holes[k - 1].from + holes[k - 1].size > holes[k].from)
            return "KVM: frames of the GIC overlap";
    }
    return NULL;
}

static void make_file(void)
{
    if (file >= 0)
        close(file);
    file = memfd_create("guest", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, MEMORY_SIZE) < 0)
        fail("the guest's memory");
}

/* Everything is memory, of which the host allocates what is used, except where the GIC is. */
static void give_memory(void)
{
    uint64_t from = 0;
    unsigned slot = 0;
    for (unsigned k = 0; k <= hole_count; k++) {
        uint64_t to = k < hole_count ? holes[k].from : MEMORY_SIZE;
        if (to > from) {
            struct kvm_userspace_memory_region region = {
                .slot = slot++, .guest_phys_addr = from, .memory_size = to - from, .userspace_addr = (uint64_t)memory + from,
            };
            must(machine.vm, KVM_SET_USER_MEMORY_REGION, &region, "KVM_SET_USER_MEMORY_REGION");
        }
        if (k < hole_count)
            from = holes[k].from + holes[k].size;
    }
}

uint64_t placed(uint64_t address)
{
    return address - PLACED_FROM < PLACED_SIZE ? PLACED_BASE + (address - PLACED_FROM) : address;
}

uint8_t *memory_at(uint64_t address, uint64_t length)
{
    address = placed(address);
    if (length > STUB_BASE || address > STUB_BASE - length)
        return NULL;
    for (unsigned k = 0; k < hole_count; k++)
        if (address < holes[k].from + holes[k].size && address + length > holes[k].from)
            return NULL;
    return memory + address;
}

void memory_fill(uint8_t *at, uint64_t length, uint8_t byte)
{
    uint64_t from = ((uint64_t)(at - memory) + 0xffff) & ~0xffffull, to = ((uint64_t)(at - memory) + length) & ~0xffffull;
    if (byte != 0 || from >= to || fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(to - from)) < 0) {
        memset(at, byte, length);
        return;
    }
    memset(at, 0, from - (uint64_t)(at - memory));
    memset(memory + to, 0, (uint64_t)(at - memory) + length - to);
}

int memory_file(void)
{
    return file;
}

void memory_clear(void)
{
    if (fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, MEMORY_SIZE) < 0)
        fail("clearing the guest's memory");
    memcpy(memory + STUB_BASE, stub_bin, stub_bin_len);
    make_tables();
    slots_used = 0;
}

/* ---- vCPUs ------------------------------------------------------------------------------------------------ */

struct operation *operations_of(unsigned pe)
{
    return (struct operation *)(memory + STUB_BASE + STUB_MAILBOXES + pe * MAILBOX_SIZE + MAILBOX_OPERATIONS);
}

/* Runs a vCPU until the stub waits for more. */
static bool go(unsigned pe)
{
    struct kvm_run *now = state[pe];
    for (;;) {
        if (ioctl(machine.vcpu[pe], KVM_RUN, 0) < 0) {
            if (errno == EINTR)
                continue;
            note("vCPU %u: KVM_RUN: %s", pe, strerror(errno));
            return false;
        }
        if (now->exit_reason != KVM_EXIT_MMIO) {
            note("vCPU %u left KVM with exit reason %u", pe, now->exit_reason);
            return false;
        }
        if (now->mmio.phys_addr == EXIT_PAGE)
            return true;
        machine.outside++;
        memset(now->mmio.data, 0, sizeof now->mmio.data);
    }
}

/*
 * The stub's last store left KVM, which ends that instruction, by moving PC behind it, only with the next KVM_RUN. It must do
 * so before PC is set to something else.
 */
static void finish_exit(unsigned pe)
{
    state[pe]->immediate_exit = 1;
    if (ioctl(machine.vcpu[pe], KVM_RUN, 0) < 0 && errno != EINTR)
        fail("KVM_RUN");
    state[pe]->immediate_exit = 0;
}

bool vcpu_run(unsigned pe, unsigned count)
{
    volatile uint64_t *mailbox = (uint64_t *)(memory + STUB_BASE + STUB_MAILBOXES + pe * MAILBOX_SIZE);
    mailbox[0] = count;
    __sync_synchronize();
    bool back = go(pe);
    __sync_synchronize();
    return back;
}

uint64_t instruction_at(uint32_t word, bool *fresh)
{
    uint32_t *at = (uint32_t *)(memory + STUB_BASE + STUB_SLOTS);
    *fresh = false;
    for (unsigned k = 0; k < slots_used; k++)
        if (slots[k] == word)
            return STUB_BASE + STUB_SLOTS + 8ull * k;
    if (slots_used == STUB_SLOTS_MAX)
        return 0;
    slots[slots_used] = word;
    at[2 * slots_used] = word;
    at[2 * slots_used + 1] = 0xd65f03c0; /* ret */
    *fresh = true;
    return STUB_BASE + STUB_SLOTS + 8ull * slots_used++;
}

/* A vCPU in KVM's number of a PE: its affinity, from Aff3 to Aff0, above the number of a register. */
static uint64_t by_affinity(unsigned pe)
{
    return (uint64_t)machine.is.affinity[pe] << 32;
}

void vcpu_reset(unsigned pe)
{
    /* What a VMM writes after the reset of a PE, in the order of KVM's documentation: PMR, BPR0, AP0R0, AP1R0, BPR1,
     * IGRPEN0, IGRPEN1. KVM keeps its CPU interface when a vCPU is reset. */
    static const struct { uint16_t number; uint64_t value; } registers[] = {
        { 0xc230, 0 }, { 0xc643, 0 }, { 0xc644, 0 }, { 0xc648, 0 }, { 0xc663, 0 }, { 0xc666, 0 }, { 0xc667, 0 },
    };
    finish_exit(pe);
    vcpu_init(pe);
    for (unsigned k = 0; k < sizeof registers / sizeof *registers; k++) {
        uint64_t value = registers[k].value;
        attribute(machine.gic, true, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS, by_affinity(pe) | registers[k].number, &value);
    }
    if (!go(pe))
        fail("the guest stub does not start again");
}

int set_line(int pe, unsigned intid, bool level)
{
    bool own = intid < 32;
    struct kvm_irq_level line = { .level = level };
    line.irq = (own ? KVM_ARM_IRQ_TYPE_PPI : KVM_ARM_IRQ_TYPE_SPI) << KVM_ARM_IRQ_TYPE_SHIFT
        | (own ? (pe & 0xff) << KVM_ARM_IRQ_VCPU_SHIFT : 0) | intid;
    return ioctl(machine.vm, KVM_IRQ_LINE, &line) < 0 ? -errno : 0;
}

int send_msi(unsigned its, uint32_t device, uint32_t event)
{
    uint64_t address = machine.is.its_base[its] + 0x10040; /* GITS_TRANSLATER */
    struct kvm_msi msi = {
        .address_lo = (uint32_t)address, .address_hi = (uint32_t)(address >> 32), .data = event,
        .flags = KVM_MSI_VALID_DEVID, .devid = device,
    };
    int result = ioctl(machine.vm, KVM_SIGNAL_MSI, &msi);
    return result < 0 ? -errno : result;
}

/* ---- the machine ------------------------------------------------------------------------------------------ */

void machine_destroy(void)
{
    if (machine.vm < 0)
        return;
    for (unsigned k = 0; k < machine.is.pes; k++) {
        munmap(state[k], state_size);
        close(machine.vcpu[k]);
    }
    for (unsigned k = 0; k < machine.is.itss; k++)
        close(machine.its[k]);
    close(machine.gic);
    close(machine.vm);
    machine.vm = -1;
}

static int create_device(uint32_t type, const char *what)
{
    struct kvm_create_device device = { .type = type };
    must(machine.vm, KVM_CREATE_DEVICE, &device, what);
    return (int)device.fd;
}

/* Redistributors: one region for those that follow each other. */
static void place_redistributors(void)
{
    const struct configuration *is = &machine.is;
    uint64_t region = 0;
    for (unsigned first = 0, next; first < is->pes; first = next) {
        for (next = first + 1; next < is->pes; next++)
            if (is->gicr_base[next] != is->gicr_base[next - 1] + 2 * FRAME_SIZE)
                break;
        uint64_t value = (uint64_t)(next - first) << 52 | is->gicr_base[first] | region++;
        set_attribute(machine.gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST_REGION, &value,
                      "the Redistributors' addresses");
    }
}

/* KVM drops changes of the PPIs of its timers, so these go where few machines have anything. */
static void move_timers(void)
{
    int ppis[2] = { (int)machine.timer_ppi, (int)machine.timer_ppi + 1 };
    static const int timers[2] = { KVM_ARM_VCPU_TIMER_IRQ_VTIMER, KVM_ARM_VCPU_TIMER_IRQ_PTIMER };
    for (unsigned pe = 0; pe < machine.is.pes; pe++)
        for (int k = 0; k < 2; k++)
            set_attribute(machine.vcpu[pe], KVM_ARM_VCPU_TIMER_CTRL, timers[k], &ppis[k], "a timer's PPI");
}

static void open_kvm(void)
{
    kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm < 0)
        fail("/dev/kvm");
    int bits = ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
    if (bits > 0 && bits < IPA_BITS) {
        note("this host's guests have addresses of %d bits, and the adapter needs %d", bits, IPA_BITS);
        exit(3);
    }
    state_size = (size_t)must(kvm, KVM_GET_VCPU_MMAP_SIZE, 0, "KVM_GET_VCPU_MMAP_SIZE");
    make_file();
    memory = mmap(0, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
    if (memory == MAP_FAILED)
        fail("1 TiB of address space");
}

const char *machine_create(const struct configuration *wanted)
{
    /* What a guest sees of a GIC with two is another in nearly every register. */
    const char *why = wanted->gicd_typer & TYPER_SECURITY_EXTN
        ? "KVM: two Security states (GICD_TYPER.SecurityExtn): KVM's GIC has one"
        : make_holes(wanted);
    if (why != NULL)
        return why;
    machine_destroy();
    if (kvm < 0)
        open_kvm();
    memory_clear();
    machine.is = *wanted;
    machine.timer_ppi = 16;
    machine.vm = must(kvm, KVM_CREATE_VM, 0, "KVM_CREATE_VM");
    give_memory();
    for (unsigned k = 0; k < wanted->pes; k++) {
        machine.vcpu[k] = ioctl(machine.vm, KVM_CREATE_VCPU, (unsigned long)k);
        if (machine.vcpu[k] < 0)
            return errno == EINVAL ? "KVM: more PEs than this host's KVM takes" : "KVM: a vCPU is refused";
        state[k] = mmap(0, state_size, PROT_READ | PROT_WRITE, MAP_SHARED, machine.vcpu[k], 0);
        if (state[k] == MAP_FAILED)
            fail("a vCPU's state");
        vcpu_init(k);
    }
    machine.gic = create_device(KVM_DEV_TYPE_ARM_VGIC_V3, "KVM_DEV_TYPE_ARM_VGIC_V3");
    uint32_t intids = 32 * ((wanted->gicd_typer & 31) + 1);
    machine.intids = intids < 64 ? 64 : intids > 992 ? 992 : intids;
    set_attribute(machine.gic, KVM_DEV_ARM_VGIC_GRP_NR_IRQS, 0, &machine.intids, "the number of INTIDs");
    uint64_t base = wanted->gicd_base;
    set_attribute(machine.gic, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST, &base, "the Distributor's address");
    place_redistributors();
    set_attribute(machine.gic, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL, "the GIC");
    for (unsigned k = 0; k < wanted->itss; k++) {
        machine.its[k] = create_device(KVM_DEV_TYPE_ARM_VGIC_ITS, "KVM_DEV_TYPE_ARM_VGIC_ITS");
        base = wanted->its_base[k];
        set_attribute(machine.its[k], KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_ITS_ADDR_TYPE, &base, "an ITS's address");
        set_attribute(machine.its[k], KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT, NULL, "an ITS");
    }
    move_timers();
    uint64_t ctlr = 0;
    attribute(machine.gic, false, KVM_DEV_ARM_VGIC_GRP_CPU_SYSREGS, by_affinity(0) | 0xc664, &ctlr);
    unsigned bits = (ctlr >> 8 & 7) + 1; /* ICC_CTLR_EL1.PRIbits */
    active_registers = bits <= 5 ? 1 : bits == 6 ? 2 : 4;
    for (unsigned k = 0; k < wanted->pes; k++) {
        set_register(k, CORE(regs.regs[2]), active_registers, "x2");
        if (!go(k))
            fail("the guest stub does not start");
    }
    return NULL;
}
