/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KVM's GICv3 and ITS behind gictrace's adapter protocol (docs/adapter.md). Messages come from standard input and go to
 * standard output, or both by the character device that is the only argument. docs/kvm.md says how to run it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "../c/wire.h"
#include "machine.h"

/* Kinds of records (docs/records.md). */
enum {
    MMIO_READ = 1, MMIO_WRITE, SYSREG_READ, SYSREG_WRITE, MEM_WRITE, MEM_KNOWN, MEM_UNKNOWN, QUEUE_WRITE, MSI_WRITE,
    WIRE_SET, PE_RESET, KINDS, HPPI = 64
};
static const char *const stimuli[] = {
    "mmio.read", "mmio.write", "sysreg.read", "sysreg.write", "mem.write", "mem.known", "mem.unknown", "queue.write",
    "msi.write", "wire.set", "pe.reset",
};
static const unsigned words_of[KINDS] = { 0, 6, 6, 3, 3, 5, 4, 3, 11, 4, 2, 0 };
static const char *const observables[] = { "hppi" };

enum { NO_KIND, NO_PLACE, NO_ABORT, NO_SYSREG, NO_LINE, NO_TIMER, NO_MSI, NO_SLOT, NO_STATE };
static const char *const reasons[] = {
    "KVM: a stimulus that is not known, or not of this form",
    "KVM: there is no such PE, frame, ITS or memory",
    "KVM: the access aborts in the guest",
    "KVM: the system register is not one of a guest's CPU interface",
    "KVM: there is no such input line",
    "KVM: the PPI belongs to a timer of KVM",
    "KVM: KVM_SIGNAL_MSI is refused",
    "KVM: more system registers than the guest stub has room for",
    "KVM: a Secure access, or one from EL3",
};

#define LEVEL2_ADDRESS 0xffffffffff000ull
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

static struct stimulus given[BATCH_MAX];
static struct response responses[BATCH_MAX];
static struct change changes[BATCH_MAX * PES_MAX];
static uint8_t lines_high[PES_MAX][1024]; /* SPIs are in the first row */
static unsigned change_count;
static struct signal signalled[PES_MAX];
static const struct signal idle = { 1023, 0, 0xff, 0, 0 };

/* ---- operations that wait in a mailbox ---------------------------------------------------------------------- */

static unsigned waiting_pe, waiting; /* the vCPU, and how many operations are in its mailbox */
static unsigned waiting_for[MAILBOX_OPERATIONS_MAX]; /* the stimulus of each */

/* What a PE is signalled, as the stub found it after an operation. */
static void look(unsigned pe, const struct operation *of, unsigned stimulus)
{
    uint32_t zero = (uint32_t)of->pending[0], one = (uint32_t)of->pending[1];
    struct signal now = idle;
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

/* Has the waiting operations done, and takes their results. */
static void flush(void)
{
    struct operation *at = operations_of(waiting_pe);
    unsigned count = waiting;
    waiting = 0;
    if (count == 0)
        return;
    if (!vcpu_run(waiting_pe, count))
        give_up("a vCPU has left KVM and does not come back");
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

static void add(unsigned pe, unsigned stimulus, uint32_t kind, uint64_t address, uint64_t value)
{
    if (waiting > 0 && (waiting_pe != pe || waiting == MAILBOX_OPERATIONS_MAX))
        flush();
    waiting_pe = pe;
    waiting_for[waiting] = stimulus;
    operations_of(pe)[waiting++] = (struct operation){
        .kind = kind | (uint32_t)watching << OPERATION_WATCH, .address = address, .value = value,
    };
}

/* A stimulus may have changed what any PE is signalled. `done`: the PE that has been looked at, or -1. */
static void look_at_others(unsigned stimulus, int done)
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
static void look_again(unsigned stimulus)
{
    look_at_others(stimulus, -1);
}

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

/* ---- stimuli ------------------------------------------------------------------------------------------------ */

static void skip(unsigned n, uint32_t reason)
{
    responses[n].skipped = true;
    responses[n].reason = reason;
}

static uint64_t wide(const uint32_t *words)
{
    return words[0] | (uint64_t)words[1] << 32;
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
    if (!is_of_guest(number)) {
        skip(n, NO_SYSREG);
        return;
    }
    uint64_t at = instruction_at((read ? 0xd5200000 : 0xd5000000) | number << 5, &fresh);
    if (at == 0) {
        skip(n, NO_SLOT);
        return;
    }
    uint32_t crm_op2 = number & 0x7f;
    bool acknowledges = read && (crm_op2 == 0x40 || crm_op2 == 0x60 || crm_op2 == 0x4d); /* IAR0, IAR1, NMIAR1 */
    bool settles = !read || acknowledges;
    add((unsigned)s->pe, n, DO_INSTRUCTION | (uint32_t)fresh << OPERATION_FRESH | (uint32_t)settles << OPERATION_SETTLE, at,
        wide(s->words + 1));
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

static void step(unsigned n)
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
        store(n, wide(w + 1), 32, quads);
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
        break;
    }
    look_at_others(n, -1);
}

/* ---- messages ----------------------------------------------------------------------------------------------- */

static size_t items_at;
static unsigned items;
static uint32_t batch_number;

static void begin_answers(void)
{
    put_array(4);
    put_uint(MSG_BATCH);
    put_uint(batch_number);
    put_byte(1);    /* becomes 0 if another message follows */
    put_byte(0xdc); /* the number of items is known at the end */
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
    if (out_at > MESSAGE_MAX - 64) {
        end_answers(false);
        begin_answers();
    }
    items++;
    put_array(values);
}

static void take_batch(void)
{
    batch_number = get_uint();
    uint32_t count = get_array();
    if (count > BATCH_MAX)
        give_up("a batch of more than 512 stimuli");
    for (uint32_t n = 0; n < count; n++) {
        struct stimulus *s = &given[n];
        memset(s, 0, sizeof *s);
        memset(&responses[n], 0, sizeof responses[n]);
        uint32_t values = get_array();
        if (values < 3)
            give_up("a stimulus without its kind, PE and flags");
        s->kind = get_uint();
        uint32_t pe = get_uint();
        s->flags = get_uint();
        s->pe = (int)(pe <= PES_MAX ? pe : PES_MAX + 1) - 1;
        for (uint32_t k = 0; k < values - 3; k++) {
            uint32_t word = get_uint();
            if (k < 11)
                s->words[k] = word;
        }
        if (s->kind == 0 || s->kind >= KINDS || words_of[s->kind] != values - 3)
            s->kind = KINDS;
    }
    change_count = 0;
    for (uint32_t n = 0; n < count; n++) {
        if (given[n].kind == KINDS)
            skip(n, NO_KIND);
        else if (given[n].pe >= (int)machine.is.pes)
            skip(n, NO_PLACE);
        else if (given[n].flags & (4 | 16))
            skip(n, NO_STATE);
        else
            step(n);
    }
    flush();
    unsigned next = 0;
    begin_answers();
    for (uint32_t n = 0; n < count; n++) {
        if (responses[n].skipped) {
            begin_item(2);
            put_uint(2);
            put_uint(responses[n].reason);
        } else {
            begin_item(3);
            put_uint(0);
            put_uint((uint32_t)responses[n].value);
            put_uint((uint32_t)(responses[n].value >> 32));
        }
        for (; next < change_count && changes[next].of == n; next++) {
            const struct signal *now = &changes[next].now;
            begin_item(8);
            put_uint(HPPI);
            put_uint(changes[next].pe + 1);
            put_uint(0);
            put_uint(now->intid);
            put_uint(now->group);
            put_uint(now->priority);
            put_uint(now->fiq);
            put_uint(now->irq);
        }
    }
    end_answers(true);
}

static void say_hello(void)
{
    struct utsname host;
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
    uname(&host);
    put_array(2);
    put_uint(MSG_HELLO);
    put_map(10);
    put_text("protocol");
    put_uint(1);
    put_text("name");
    put_text("KVM of Linux");
    put_text("version");
    put_text(host.release);
    put_text("stimuli");
    put_texts(stimuli, sizeof stimuli / sizeof *stimuli);
    put_text("observables");
    put_texts(observables, 1);
    put_text("events");
    put_texts(observables, 0);
    put_text("reserved");
    put_bool(false);
    put_text("settled");
    put_bool(true);
    put_text("snapshots");
    put_uint(0);
    put_text("reasons");
    put_texts(reasons, sizeof reasons / sizeof *reasons);
    send_message();
}

static unsigned get_addresses(uint64_t *into, unsigned max)
{
    unsigned count = get_array();
    for (unsigned k = 0; k < count; k++) {
        uint64_t value = get_wide();
        if (k < max)
            into[k] = value;
    }
    return count;
}

static void get_its(struct configuration *wanted)
{
    wanted->itss = get_array();
    if (wanted->itss > ITS_MAX)
        give_up("KVM: more ITSs than this adapter makes, which is 8");
    for (unsigned k = 0; k < wanted->itss; k++)
        for (uint32_t left = get_map(); left > 0; left--) {
            char key[32];
            get_text(key, sizeof key);
            if (strcmp(key, "typer") == 0)
                wanted->its_typer[k] = get_wide();
            else
                skip_value();
        }
}

/* Whether what PEs are signalled is among the kinds that are compared. */
static bool get_compared(void)
{
    bool found = false;
    for (uint32_t left = get_array(); left > 0; left--) {
        char name[32];
        get_text(name, sizeof name);
        found |= strcmp(name, "hppi") == 0;
    }
    return found;
}

static void take_reset(void)
{
    static struct configuration wanted;
    uint64_t affinities[PES_MAX];
    memset(&wanted, 0, sizeof wanted);
    watching = true;
    for (uint32_t left = get_map(); left > 0; left--) {
        char key[32];
        get_text(key, sizeof key);
        if (strcmp(key, "affinities") == 0) {
            wanted.pes = get_addresses(affinities, PES_MAX);
            if (wanted.pes == 0 || wanted.pes > PES_MAX)
                give_up("KVM: 1 to 64 PEs, and the trace has another number");
            for (unsigned k = 0; k < wanted.pes; k++)
                wanted.affinity[k] = (uint32_t)affinities[k];
        } else if (strcmp(key, "gicd_typer") == 0)
            wanted.gicd_typer = get_uint();
        else if (strcmp(key, "gicr_typer") == 0)
            wanted.gicr_typer = get_uint();
        else if (strcmp(key, "gicd_base") == 0)
            wanted.gicd_base = get_wide();
        else if (strcmp(key, "gicr_bases") == 0)
            get_addresses(wanted.gicr_base, PES_MAX);
        else if (strcmp(key, "its_bases") == 0)
            get_addresses(wanted.its_base, ITS_MAX);
        else if (strcmp(key, "its") == 0)
            get_its(&wanted);
        else if (strcmp(key, "compared") == 0)
            watching = get_compared();
        else
            skip_value();
    }
    const char *why = machine_create(&wanted);
    if (why != NULL)
        give_up(why);
    memset(lines_high, 0, sizeof lines_high);
    for (unsigned pe = 0; pe < PES_MAX; pe++)
        signalled[pe] = idle;
    put_array(1);
    put_uint(MSG_RESET);
    send_message();
}

int main(int argc, char **argv)
{
    for (int k = 1; k < argc; k++) {
        int port = open(argv[k], O_RDWR);
        if (port < 0) {
            note("%s: %s", argv[k], strerror(errno));
            return 2;
        }
        dup2(port, 0);
        dup2(port, 1);
        close(port);
    }
    /* A device answers with what there is, and not with as much as a buffer holds. */
    static char buffer[MESSAGE_MAX + 4];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    bool ready = false;
    while (next_message()) {
        if (get_array() == 0)
            give_up("an empty message");
        uint32_t message = get_uint();
        if (message > MSG_RESET && message < MSG_BYE && !ready)
            give_up("a message before the first reset");
        switch (message) {
        case MSG_HELLO:
            say_hello();
            break;
        case MSG_RESET:
            take_reset();
            ready = true;
            break;
        case MSG_BATCH:
            take_batch();
            break;
        case MSG_BYE:
            fflush(stdout);
            return 0;
        default:
            give_up("there is no such message");
        }
        fflush(stdout);
    }
    return 0;
}
