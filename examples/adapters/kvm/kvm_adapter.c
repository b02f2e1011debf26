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
#include "snapshots.h"
#include "stimuli.h"

static const char *const stimuli[] = {
    "mmio.read", "mmio.write", "sysreg.read", "sysreg.write", "mem.write", "mem.known", "mem.unknown", "queue.write",
    "msi.write", "wire.set", "pe.reset",
};
static const unsigned words_of[KINDS] = { 0, 6, 6, 3, 3, 5, 4, 3, 11, 4, 2, 0 };
static const char *const observables[] = { "hppi" };

static const char *const reasons[REASONS] = {
    "KVM: a stimulus that is not known, or not of this form",
    "KVM: there is no such PE, frame, ITS or memory",
    "KVM: the access aborts in the guest",
    "KVM: the system register is not one of a guest's CPU interface",
    "KVM: there is no such input line",
    "KVM: the PPI belongs to a timer of KVM",
    "KVM: KVM_SIGNAL_MSI is refused",
    "KVM: more system registers than the guest stub has room for",
    "KVM: a Secure access, or one from EL3",
    "KVM: a message-based SPI, which KVM's GIC does not have",
    "KVM: extended SPIs or PPIs, which KVM's GIC does not have",
    "KVM: non-maskable interrupts, which KVM's GIC does not have",
    "KVM: a Direct LPI, which KVM's GIC does not have",
    "KVM: virtual LPIs, which KVM's GIC does not have for its guest",
};

void abandon(const char *why)
{
    give_up(why);
    exit(3);
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
    put_uint(0); /* it takes both messages, but what it restores is what KVM saves, and not all of the state */
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

/* Keeps a state, or returns to one. */
static void take_snapshot(uint32_t message)
{
    uint32_t slot = get_uint();
    if (slot >= SNAPSHOTS)
        give_up("there is no such slot");
    groups_snapshot();
    const char *why = message == MSG_SNAPSHOT ? snapshot_take(slot) : snapshot_restore(slot);
    if (why != NULL)
        give_up(why);
    put_array(2);
    put_uint(message);
    put_uint(slot);
    send_message();
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
    snapshots_forget();
    const char *why = machine_create(&wanted);
    if (why != NULL)
        give_up(why);
    memset(lines_high, 0, sizeof lines_high);
    for (unsigned pe = 0; pe < PES_MAX; pe++) {
        signalled[pe] = idle;
        groups_reset(pe);
    }
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
    groups_init(argc > 1);
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
        case MSG_SNAPSHOT:
        case MSG_RESTORE:
            take_snapshot(message);
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
