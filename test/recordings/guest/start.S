  .globl _start
_start:
  mrs x0, mpidr_el1
  and x0, x0, #0xff
  adr x1, stacks
  add x2, x0, #1
  add x1, x1, x2, lsl #12
  mov sp, x1
  adr x1, vectors
  msr vbar_el1, x1
  isb
  // as a kernel's entry does: to EL1 by an exception return
  adr x1, 1f
  msr elr_el1, x1
  mov x1, #0x3c5
  msr spsr_el1, x1
  eret
1: bl main
2: b 2b
  .balign 2048
vectors:
  .rept 5
  .balign 128
  b .
  .endr
  .balign 128
  stp x0, x1, [sp, #-256]!
  stp x2, x3, [sp, #16]
  stp x4, x5, [sp, #32]
  stp x6, x7, [sp, #48]
  stp x8, x9, [sp, #64]
  stp x10, x11, [sp, #80]
  stp x12, x13, [sp, #96]
  stp x14, x15, [sp, #112]
  stp x16, x17, [sp, #128]
  stp x18, x30, [sp, #144]
  bl irq
  ldp x18, x30, [sp, #144]
  ldp x16, x17, [sp, #128]
  ldp x14, x15, [sp, #112]
  ldp x12, x13, [sp, #96]
  ldp x10, x11, [sp, #80]
  ldp x8, x9, [sp, #64]
  ldp x6, x7, [sp, #48]
  ldp x4, x5, [sp, #32]
  ldp x2, x3, [sp, #16]
  ldp x0, x1, [sp], #256
  eret
  .balign 2048
  .bss
  .balign 4096
stacks: .space 16384
