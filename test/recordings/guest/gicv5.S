// A guest without an operating system for QEMU's virt machine with gic-version=x-5: PE 0 takes TICKS0 timer interrupts
// (PPI 27) and PE 1 TICKS1, both at the same time and with the same priority; then PE 0 switches the machine off.
// aarch64-linux-gnu-gcc -nostdlib -static -Wl,-Ttext=0x40080000 -DTICKS0=5 -DTICKS1=9 gicv5.S -o gicv5.elf
	.global _start
_start:	ldr	x1, =stack0
	mov	sp, x1
	ldr	x0, =0x08010000		// IRS_CR0.IRSEN, and the read that makes QEMU act
	mov	w1, #1
	str	w1, [x0, #0x80]
	ldr	w1, [x0, #0x80]
	ldr	x0, =0xc4000003		// PSCI CPU_ON: PE 1
	mov	x1, #1
	ldr	x2, =second
	mov	x3, #0
	hvc	#0
	mov	x20, #TICKS0
	bl	ticks
	ldr	x1, =done
1:	ldr	w0, [x1]
	cbz	w0, 1b
	ldr	x0, =0x84000008		// PSCI SYSTEM_OFF
	hvc	#0
second:	ldr	x1, =stack1
	mov	sp, x1
	mov	x20, #TICKS1
	bl	ticks
	ldr	x1, =done
	mov	w0, #1
	str	w0, [x1]
2:	wfi
	b	2b
ticks:	ldr	x0, =vectors
	msr	vbar_el1, x0
	ldr	x0, =0x1010101010101010
	msr	S3_0_C12_C14_3, x0	// ICC_PPI_PRIORITYR3_EL1: PPIs 24 to 31
	mov	x0, #1 << 27
	msr	S3_0_C12_C10_6, x0	// ICC_PPI_ENABLER0_EL1
	mov	x0, #31
	msr	S3_1_C12_C0_2, x0	// ICC_PCR_EL1
	mov	x0, #1
	msr	S3_1_C12_C0_1, x0	// ICC_CR0_EL1.EN
	isb
	ldr	x0, =200000
	msr	cntv_tval_el0, x0
	mov	x0, #1
	msr	cntv_ctl_el0, x0
	msr	daifclr, #2
3:	cbnz	x20, 3b
	msr	daifset, #2
	ret
	.balign	2048
vectors: .space	0x280
	b	taken			// IRQ, current EL with SP_ELx
	.balign	2048
taken:	sysl	x10, #0, c12, c3, #0	// GICR CDIA
	sys	#0, c12, c0, #1, xzr	// GSB ACK
	isb
	sys	#0, c12, c1, #7, xzr	// GIC CDEOI
	sub	x20, x20, #1
	mov	x11, #0
	msr	cntv_ctl_el0, x11
	cbz	x20, 4f
	ldr	x11, =200000
	msr	cntv_tval_el0, x11
	mov	x11, #1
	msr	cntv_ctl_el0, x11
4:	and	x10, x10, #0xffffffff
	sys	#0, c12, c2, #0, x10	// GIC CDDI
	eret
	.data
	.balign	16
	.space	1024
stack0:	.space	1024
stack1:	.quad	0
done:	.word	0
