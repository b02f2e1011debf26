/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest stub: what runs on each vCPU, at EL1, in place of a guest. It does the operations that the adapter has put into
 * the vCPU's mailbox, one after another, and then leaves KVM by a store to a page that nothing answers. Stage 1 of the
 * MMU is on, with addresses as they are: the stub's gigabyte is Normal memory, everything else is Device memory.
 *
 * x19 mailbox   x20 exit page   x21 number of AP registers of a group   x22 operation   x23 operations left
 */
#include "layout.h"

#define ICC_PMR    S3_0_C4_C6_0
#define ICC_HPPIR0 S3_0_C12_C8_2
#define ICC_AP0R0  S3_0_C12_C8_4
#define ICC_AP1R0  S3_0_C12_C9_0
#define ICC_HPPIR1 S3_0_C12_C12_2
#define ICC_IGRPEN0 S3_0_C12_C12_6
#define ICC_IGRPEN1 S3_0_C12_C12_7

    .globl _start
_start: /* x0: mailbox, x1: exit page, x2: number of AP registers */
    mov x19, x0
    mov x20, x1
    mov x21, x2
    adr x1, vectors
    msr vbar_el1, x1
    msr daifset, #0xf
    isb
loop:
    str wzr, [x20] /* everything is done: the adapter fills the mailbox, and runs this vCPU again */
    ldr x23, [x19]
    add x22, x19, #MAILBOX_OPERATIONS
next:
    cbz x23, loop
    ldr w2, [x22, #OPERATION_KIND]
    ldr x3, [x22, #OPERATION_ADDRESS]
    ldr x0, [x22, #OPERATION_VALUE]
    str xzr, [x22, #OPERATION_SYNDROME]
    and x4, x2, #OPERATION_MASK
    adr x5, table
    add x5, x5, x4, lsl #3
    br x5
table: /* two instructions each, in the order of layout.h */
    b done
    nop
    ldrb w0, [x3]
    b done
    ldrh w0, [x3]
    b done
    ldr w0, [x3]
    b done
    ldr x0, [x3]
    b done
    strb w0, [x3]
    b done
    strh w0, [x3]
    b done
    str w0, [x3]
    b done
    str x0, [x3]
    b done
    b instruction
    nop

instruction: /* x3: the place of one instruction with x0 as its operand, and of a ret */
    tbz w2, #OPERATION_FRESH, 1f
    dc cvau, x3
    dsb ish
    ic ivau, x3
    dsb ish
1:  isb
    blr x3
    isb
done:
    dsb sy
    str x0, [x22, #OPERATION_RESULT]
    tbz w2, #OPERATION_SETTLE, 2f
    /* PSCI_VERSION: the hypervisor takes list registers back and fills them again */
    mov x24, x2
    mov w0, #0x84000000
    hvc #0
    mov x2, x24
2:  tbz w2, #OPERATION_WATCH, 3f
    bl watch
3:  add x22, x22, #OPERATION_SIZE
    sub x23, x23, #1
    b next

/*
 * What the PE is signalled: the lines as they are; then, with both groups enabled and nothing active, the INTID; and its
 * priority, as the smallest priority mask that lets it through. All registers are as before afterwards.
 */
watch:
    mov x17, x30
    mrs x4, isr_el1
    str x4, [x22, #OPERATION_LINES]
    mrs x5, ICC_IGRPEN0
    mrs x6, ICC_IGRPEN1
    mov x0, #1
    msr ICC_IGRPEN1, x0 /* first: see groups.c */
    isb
    msr ICC_IGRPEN0, x0
    isb
    mrs x7, ICC_HPPIR0
    mrs x8, ICC_HPPIR1
    stp x7, x8, [x22, #OPERATION_PENDING]
    mov x10, #0x100
    lsr x7, x7, #2
    lsr x8, x8, #2
    cmp x7, #255 /* INTIDs 1020 to 1023 are special */
    b.ne 8f
    cmp x8, #255
    b.eq 9f /* nothing is pending */
8:
    mrs x9, ICC_PMR
    bl save_active
    mov x10, #0 /* the mask is between x10, which hides it, and x11, which shows it */
    mov x11, #0x100
4:  sub x12, x11, x10
    cmp x12, #1
    b.ls 5f
    add x12, x10, x12, lsr #1
    msr ICC_PMR, x12
    isb
    mrs x13, isr_el1
    tst x13, #0xc0
    csel x11, x12, x11, ne
    csel x10, x10, x12, ne
    b 4b
5:  mov x12, #0xff /* bits that the mask does not implement are of no priority */
    msr ICC_PMR, x12
    isb
    mrs x12, ICC_PMR
    and x10, x10, x12
    bl restore_active
    msr ICC_PMR, x9
9:  msr ICC_IGRPEN0, x5
    msr ICC_IGRPEN1, x6
    isb
    str x10, [x22, #OPERATION_PRIORITY]
    ret x17

/* ICC_AP0R<n> and ICC_AP1R<n> into the mailbox, and zero into them. x21: 1, 2 or 4. Uses x14, x15, x16. */
    .macro active_save reg, at
    mrs x14, \reg
    str x14, [x19, #(MAILBOX_ACTIVE + 8 * \at)]
    msr \reg, xzr
    .endm
    .macro active_restore reg, at
    ldr x14, [x19, #(MAILBOX_ACTIVE + 8 * \at)]
    msr \reg, x14
    .endm
save_active:
    active_save ICC_AP0R0, 0
    active_save ICC_AP1R0, 4
    cmp x21, #2
    b.lo 6f
    active_save S3_0_C12_C8_5, 1
    active_save S3_0_C12_C9_1, 5
    b.eq 6f
    active_save S3_0_C12_C8_6, 2
    active_save S3_0_C12_C8_7, 3
    active_save S3_0_C12_C9_2, 6
    active_save S3_0_C12_C9_3, 7
6:  isb
    ret
restore_active:
    active_restore ICC_AP0R0, 0
    active_restore ICC_AP1R0, 4
    cmp x21, #2
    b.lo 7f
    active_restore S3_0_C12_C8_5, 1
    active_restore S3_0_C12_C9_1, 5
    b.eq 7f
    active_restore S3_0_C12_C8_6, 2
    active_restore S3_0_C12_C8_7, 3
    active_restore S3_0_C12_C9_2, 6
    active_restore S3_0_C12_C9_3, 7
7:  isb
    ret

    .balign 2048
vectors: /* an exception ends the instruction that caused it; its syndrome goes into the mailbox */
    .rept 16
    mrs x4, esr_el1
    str x4, [x22, #OPERATION_SYNDROME]
    mrs x4, elr_el1
    add x4, x4, #4
    msr elr_el1, x4
    mov x0, xzr
    eret
    .balign 128
    .endr
