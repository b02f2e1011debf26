/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the guest stub is, and what it and the adapter tell each other. Both the assembler and the compiler read this.
 * The stub has the last gigabyte of a guest-physical address space of 40 bits, where no known machine has anything.
 */
#define IPA_BITS 40
#define STUB_BASE 0xffc0000000
#define STUB_SIZE 0x200000
#define STUB_TABLES 0x10000 /* translation tables: 3 pages */
#define STUB_SLOTS 0x20000  /* single instructions */
#define STUB_SLOTS_MAX 4096
#define STUB_MAILBOXES 0x40000
#define EXIT_PAGE 0xffbfff0000
#define EXIT_SIZE 0x10000 /* no memory here, whatever the host's page size is */

/* Where a trace has tables whose address its source does not contain, and where the guest has them. */
#define PLACED_FROM 0x4000000000000
#define PLACED_BASE 0xff80000000
#define PLACED_SIZE 0x10000000
#define PLACED_END (PLACED_BASE + PLACED_SIZE) /* nothing of the trace's is above */

/* A mailbox, of which each vCPU has one: the number of operations, AP registers that are being kept, and operations. */
#define MAILBOX_SIZE 0x4000
#define MAILBOX_ACTIVE 64
#define MAILBOX_OPERATIONS 128
#define MAILBOX_OPERATIONS_MAX 192

#define OPERATION_SIZE 80
#define OPERATION_KIND 0
#define OPERATION_ADDRESS 8
#define OPERATION_VALUE 16
#define OPERATION_RESULT 24
#define OPERATION_SYNDROME 32
#define OPERATION_LINES 40
#define OPERATION_PENDING 48 /* ICC_HPPIR0_EL1 and ICC_HPPIR1_EL1 */
#define OPERATION_PRIORITY 64

/* Kinds of operations, and flags that are bits of the same word. */
#define DO_NOTHING 0
#define DO_READ 1 /* + log2 of the width */
#define DO_WRITE 5
#define DO_INSTRUCTION 9
#define OPERATION_MASK 15
#define OPERATION_FRESH 8
#define OPERATION_SETTLE 9
#define OPERATION_WATCH 10
