/* SPDX-License-Identifier: Apache-2.0 */
/* A virtual machine of KVM that is nothing but vCPUs with the guest stub, memory, and KVM's GICv3 and ITSs. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdbool.h>
#include <stdint.h>
#include "layout.h"

#define PES_MAX 64
#define ITS_MAX 8

/* GICD_TYPER, GICR_TYPER and GITS_TYPER: what a GIC may have and KVM's has not. */
#define TYPER_ESPI (1u << 8)
#define TYPER_NMI (1u << 9)
#define TYPER_SECURITY_EXTN (1u << 10)
#define TYPER_MBIS (1u << 16)
#define GICR_TYPER_VLPIS (1u << 1)
#define GICR_TYPER_DIRECT_LPI (1u << 3)
#define GICR_TYPER_PPINUM (31u << 27)
#define GITS_TYPER_VIRTUAL (1u << 1)

/* What a reset asks for. */
struct configuration {
    unsigned pes, itss;
    uint32_t affinity[PES_MAX];
    uint64_t gicd_base, gicr_base[PES_MAX], its_base[ITS_MAX];
    uint32_t gicd_typer, gicr_typer;
    uint64_t its_typer[ITS_MAX];
    bool gicr_typer_given, its_typer_given[ITS_MAX];
};

/* One operation of a vCPU, as layout.h arranges it. */
struct operation {
    uint32_t kind, unused;
    uint64_t address, value, result, syndrome, lines, pending[2], priority, more;
};

struct machine {
    struct configuration is;
    int vm, gic, vcpu[PES_MAX], its[ITS_MAX];
    unsigned intids;    /* INTIDs below 1,020 that the GIC has */
    unsigned timer_ppi; /* this PPI and the next belong to KVM's timers */
    unsigned long outside; /* accesses to addresses where there is nothing */
};

extern struct machine machine;
extern bool watching;

/* Prints a line for people. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Makes a new virtual machine. Returns NULL, or why KVM cannot be this GIC. Ends the process with exit code 3 if KVM fails.
 */
const char *machine_create(const struct configuration *wanted);
void machine_destroy(void);

/* The guest's address for an address of the trace; the same, unless a guest of 40 bits cannot have it (PLACED_FROM). */
uint64_t placed(uint64_t address);
/* The memory at an address of the trace, or NULL if the range is not memory. */
uint8_t *memory_at(uint64_t address, uint64_t length);
/* Sets bytes of the guest's memory. */
void memory_fill(uint8_t *at, uint64_t length, uint8_t byte);
/* The file that is the guest's memory, and a new empty one in its place. */
int memory_file(void);
void memory_clear(void);

/* A vCPU's mailbox. */
struct operation *operations_of(unsigned pe);
/* Has a vCPU do the first `count` operations in its mailbox. False if it does not come back. */
bool vcpu_run(unsigned pe, unsigned count);
/* The place of an instruction that the stub can call; sets `fresh` if it is new there. 0 if there are too many. */
uint64_t instruction_at(uint32_t word, bool *fresh);

/* CPU interface and state of a vCPU as after a reset of the PE. */
void vcpu_reset(unsigned pe);

/* KVM_IRQ_LINE and KVM_SIGNAL_MSI; 0 or more, or -errno. */
int set_line(int pe, unsigned intid, bool level);
int send_msi(unsigned its, uint32_t device, uint32_t event);

/* A device attribute of the GIC or of an ITS: group and attribute as KVM numbers them. 0, or -errno. */
int attribute(int device, bool write, uint32_t group, uint64_t number, void *value);

#endif
