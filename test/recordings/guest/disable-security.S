// EL3 firmware that first runs with two Security states, then sets GICD_CTLR.DS, then runs a Non-secure guest at EL1.
        .equ GICD, 0x08000000
        .equ GICR, 0x080a0000
        .equ UART, 0x09000000
        .global _start
_start: mrs x0, mpidr_el1
        and x0, x0, #0xff
        ldr x1, =stack
        add x2, x0, #1
        lsl x2, x2, #12
        add sp, x1, x2
        ldr x1, =vec3
        msr vbar_el3, x1
        movz x1, #0x531         // RW, HCE, NS
        msr scr_el3, x1
        isb
        mov x1, #0xf
        msr S3_6_C12_C12_5, x1  // ICC_SRE_EL3
        isb
        msr S3_4_C12_C9_5, x1
        movz x2, #0x530
        msr scr_el3, x2
        isb
        mov x2, #7
        msr S3_0_C12_C12_5, x2
        cbnz x0, secondary
        // --- PE 0: two states
        ldr x10, =GICD
        ldr w1, [x10]           // GICD_CTLR
        ldr w1, [x10, #4]       // GICD_TYPER
        mov w1, #7
        str w1, [x10]
        bl redist
        mov x1, #0xf0
        msr S3_0_C4_C6_0, x1    // PMR
        mov x1, #1
        msr S3_0_C12_C12_6, x1  // IGRPEN0
        mov x1, #3
        msr S3_6_C12_C12_7, x1  // IGRPEN1_EL3
        // SGI 2 (G0), 3 (1S), 4 (NS)
        movz x1, #0x0200, lsl #16
        orr x1, x1, #1
        msr S3_0_C12_C11_7, x1  // SGI0R
        isb
        mrs x2, S3_0_C12_C8_0   // IAR0
        msr S3_0_C12_C8_1, x2
        movz x1, #0x0300, lsl #16
        orr x1, x1, #1
        msr S3_0_C12_C11_5, x1  // SGI1R (secure group 1)
        isb
        mrs x2, S3_0_C12_C12_0  // IAR1 at EL3
        msr S3_0_C12_C12_1, x2
        mrs x2, S3_0_C12_C11_3  // RPR
        // --- DS = 1
        ldr w1, [x10]
        mov w1, #0x43
        str w1, [x10]
        ldr w1, [x10]
        ldr w1, [x10, #4]
        mrs x2, S3_0_C12_C12_4  // CTLR_EL1 secure bank
        mrs x2, S3_6_C12_C12_4  // CTLR_EL3
        mrs x2, S3_0_C12_C12_7  // IGRPEN1 S bank
        mov x3, #0
        msr S3_0_C12_C12_7, x3  // S bank off
        mrs x2, S3_6_C12_C12_7
        // SGI through SGI1R from EL3/S: Group 0 now
        movz x1, #0x0200, lsl #16
        orr x1, x1, #1
        msr S3_0_C12_C11_5, x1
        isb
        mrs x2, S3_0_C12_C8_2   // HPPIR0
        mrs x2, S3_0_C12_C8_0
        msr S3_0_C12_C8_1, x2
        // ASGI1R from S: Group 1
        movz x1, #0x0400, lsl #16
        orr x1, x1, #1
        msr S3_0_C12_C11_6, x1
        isb
        mrs x2, S3_0_C12_C12_2  // HPPIR1
        mrs x2, S3_0_C12_C8_2   // HPPIR0 -> 1021
        // start PE 1
        ldr x1, =go
        mov w2, #1
        str w2, [x1]
        dsb sy
        sev
        // to NS EL1
        ldr x1, =ns0
        b tons
secondary:
1:      wfe
        ldr x1, =go
        ldr w2, [x1]
        cbz w2, 1b
        bl redist
        mov x1, #0xf0
        msr S3_0_C4_C6_0, x1
        mov x1, #1
        msr S3_0_C12_C12_6, x1
        ldr x1, =ns1
tons:   movz x2, #0x531
        msr scr_el3, x2
        msr elr_el3, x1
        mov x2, #0x3c5
        msr spsr_el3, x2
        mov x2, #0x80000000
        msr hcr_el2, x2
        isb
        eret
// group: SGI 2 G0, SGI 3: 1S (IGRPMOD) else NS
redist: ldr x11, =GICR
        add x11, x11, x0, lsl #17
        ldr w1, [x11, #8]
        ldr w1, [x11, #0x14]
        str wzr, [x11, #0x14]
        ldr w1, [x11, #0x14]
        add x12, x11, #0x10000
        movn w1, #0xc
        str w1, [x12, #0x80]    // IGROUPR0
        mov w1, #8
        str w1, [x12, #0xd00]   // IGRPMODR0
        movn w1, #0
        str w1, [x12, #0x100]
        ldr w1, [x12, #0x80]
        ldr w1, [x12, #0xd00]
        movz w1, #0x6020
        movk w1, #0xa080, lsl #16
        str w1, [x12, #0x400]
        str w1, [x12, #0x404]
        ldr w1, [x12, #0x400]
        ret
ns0:    ldr x1, =vec1
        msr vbar_el1, x1
        ldr x10, =GICD
        ldr w1, [x10]
        ldr w1, [x10, #4]
        ldr x12, =0x080b0000
        ldr w1, [x12, #0x400]
        ldr w1, [x12, #0x80]
        mov w1, #0x50
        strb w1, [x12, #0x405]
        mrs x2, S3_0_C4_C6_0
        mov x1, #0xb8
        msr S3_0_C4_C6_0, x1
        mrs x2, S3_0_C4_C6_0
        mov x1, #1
        msr S3_0_C12_C12_7, x1
        mrs x2, S3_0_C12_C12_7
        mrs x2, S3_0_C12_C12_4
        mov x1, #1
        msr S3_0_C12_C12_4, x1  // CBPR writable now
        mrs x2, S3_0_C12_C12_4
        msr daifclr, #3
        // NS: group 0 by SGI0R, group 1 by SGI1R to both
        mov x20, #6
2:      movz x1, #0x0200, lsl #16
        orr x1, x1, #3
        msr S3_0_C12_C11_7, x1
        isb
        movz x1, #0x0500, lsl #16
        orr x1, x1, #3
        msr S3_0_C12_C11_5, x1
        isb
        movz x1, #0x0200, lsl #16
        orr x1, x1, #3
        msr S3_0_C12_C11_6, x1  // ASGI1R from NS: Secure group 1 -> group 0
        isb
        smc #0
        subs x20, x20, #1
        b.ne 2b
        // wait for PE 1
        ldr x1, =done
3:      ldr w2, [x1]
        cbz w2, 3b
        movz w0, #0x0008
        movk w0, #0x8400, lsl #16
        smc #1
        b .
ns1:    ldr x1, =vec1
        msr vbar_el1, x1
        mov x1, #1
        msr S3_0_C12_C12_7, x1
        msr daifclr, #3
        mov x20, #4
        // timer PPI 30
        mov x1, #20000
4:      msr cntp_tval_el0, x1
        mov x2, #1
        msr cntp_ctl_el0, x2
        wfi
        subs x20, x20, #1
        b.ne 4b
        ldr x1, =done
        mov w2, #1
        str w2, [x1]
5:      wfi
        b 5b
irq1:   mrs x5, S3_0_C12_C12_0
        mrs x6, S3_0_C12_C11_3
        and x7, x5, #0xffffff
        cmp x7, #30
        b.ne 6f
        msr cntp_ctl_el0, xzr
6:      cmp x7, #1020
        b.hs 7f
        msr S3_0_C12_C12_1, x5
7:      eret
fiq1:   mrs x5, S3_0_C12_C8_0
        mrs x6, S3_0_C12_C11_3
        and x7, x5, #0xffffff
        cmp x7, #1020
        b.hs 8f
        msr S3_0_C12_C8_1, x5
8:      eret
sync3:  cmp w0, w0
        mrs x8, esr_el3
        and x8, x8, #0xffff
        cbnz x8, off
        mrs x5, S3_0_C12_C12_2
        mrs x5, S3_0_C12_C8_2
        mrs x6, S3_0_C12_C11_3
        mrs x6, S3_0_C4_C6_0
        movz x1, #0x0500, lsl #16
        orr x1, x1, #2
        msr S3_0_C12_C11_5, x1
        eret
off:    movz x0, #0x18
        ldr x1, =semi
        mov x0, #0x18
        hlt #0xf000
        b .
        .balign 2048
vec3:   .rept 8
        b .
        .balign 128
        .endr
        b sync3
        .balign 128
        .rept 7
        b .
        .balign 128
        .endr
        .balign 2048
vec1:   .rept 4
        b .
        .balign 128
        .endr
        b .
        .balign 128
        b irq1
        .balign 128
        b fiq1
        .balign 128
        .rept 9
        b .
        .balign 128
        .endr
        .data
        .balign 8
go:     .word 0
done:   .word 0
        .balign 8
semi:   .quad 0x20026, 0
        .bss
        .balign 4096
stack:  .skip 65536
