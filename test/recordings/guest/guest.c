/* Build: aarch64-linux-gnu-gcc -DMODE=1 -O1 -ffreestanding -nostdlib -mgeneral-regs-only -fno-stack-protector -fno-pic
 * -no-pie -Wl,-Ttext=0x40100000 -Wl,--build-id=none start.S guest.c. Run: -M virt,gic-version=3,its=on -m 256. */
/* GIC guest for QEMU's virt: one PE with a timer (PPI 27), an SGI to itself, LPIs through the ITS, taken as interrupts.
 * MODE 1: reboots itself twice, with an LPI pending and the timer's line up, then powers off. MODE 2: goes on until it is reset, saved, loaded or stopped. */
typedef unsigned long u64; typedef unsigned int u32; typedef unsigned char u8;
#define GICD 0x08000000UL
#define GICR 0x080a0000UL
#define GITS 0x08080000UL
#define MARK 0x4ff00000UL
#define PROP 0x49000000UL
#define PEND 0x49100000UL
#define DEVT 0x49200000UL
#define COLT 0x49300000UL
#define QUEUE 0x49400000UL
#define ITT 0x49500000UL
#define W32(a, v) (*(volatile u32 *)(a) = (v))
#define W64(a, v) (*(volatile u64 *)(a) = (v))
#define R32(a) (*(volatile u32 *)(a))
#define R64(a) (*(volatile u64 *)(a))
#define MSR(r, v) asm volatile("msr " r ", %0\n isb" ::"r"((u64)(v)) : "memory")
#define MRS(r) ({ u64 x; asm volatile("mrs %0, " r : "=r"(x)::"memory"); x; })
static u32 tail;
static volatile u32 taken;
static void cmd(u64 a, u64 b, u64 c) {
  volatile u64 *q = (volatile u64 *)(QUEUE + tail);
  q[0] = a; q[1] = b; q[2] = c; q[3] = 0; tail = (tail + 32) % 4096;
  asm volatile("dsb sy" ::: "memory");
  W64(GITS + 0x88, tail);
  while (R64(GITS + 0x90) != tail) ;
}
static void psci(u64 f) { register u64 x0 asm("x0") = f; asm volatile("hvc #0" : "+r"(x0) :: "memory"); for (;;) ; }
static void wait_us(u64 us) { u64 t = MRS("cntvct_el0") + us * MRS("cntfrq_el0") / 1000000; while (MRS("cntvct_el0") < t) ; }
static void timer(u64 us) { MSR("cntv_tval_el0", us * MRS("cntfrq_el0") / 1000000); MSR("cntv_ctl_el0", 1); }
void irq(void) {
  u64 n = MRS("S3_0_C12_C12_0");
  if (n == 27) MSR("cntv_ctl_el0", 2);
  taken++;
  if (n < 1020 || n >= 8192) MSR("S3_0_C12_C12_1", n);
}
void main(void) {
  u32 n = R32(MARK); W32(MARK, n + 1);
  tail = 0;
  R32(GICD + 0xffe8); R32(GICD + 4);
  W32(GICD, 0); W32(GICD, 0x12); R32(GICD);
  R64(GICR + 8);
  if (R32(GICR + 0x14) & 2) W32(GICR + 0x14, 0);
  while (R32(GICR + 0x14) & 4) ;
  W32(GICR + 0x10080, 0xffffffff);
  for (int k = 0; k < 8; k++) W32(GICR + 0x10400 + 4 * k, 0xa0a0a0a0);
  W32(GICR + 0x10100, 0x0800ffff);
  MSR("S3_0_C4_C6_0", 0xf0); MSR("S3_0_C12_C12_7", 1);
  W64(GICR + 0x70, PROP | 13); 
#if MODE == 1 /* what is pending in memory stays so */
  W64(GICR + 0x78, PEND);
#else
  for (int k = 0; k < 8; k++) *(volatile u64 *)(PEND + 1024 + 8 * k) = 0;
  W64(GICR + 0x78, PEND | 1UL << 62);
#endif
  W32(GICR, 1);
  for (int k = 0; k < 8; k++) *(volatile u8 *)(PROP + k) = 0xa1 - 16 * (k & 3);
  R64(GITS + 8); R64(GITS + 0x100); R64(GITS + 0x108);
  W64(GITS + 0x100, 1UL << 63 | 0x107000000000200UL | DEVT); R64(GITS + 0x100);
  W64(GITS + 0x108, 1UL << 63 | 0x407000000000200UL | COLT); R64(GITS + 0x108);
  W64(GITS + 0x80, 1UL << 63 | QUEUE); R64(GITS + 0x80);
  W64(GITS + 0x88, 0); W32(GITS, 1);
  cmd(9, 0, 1UL << 63 | 3); cmd(5, 0, 0);
  cmd(6UL << 32 | 8, 3, 1UL << 63 | ITT);
  for (u64 k = 0; k < 4; k++) cmd(6UL << 32 | 10, (8192 + k) << 32 | k, 3);
  cmd(13, 0, 3);
  asm volatile("msr daifclr, #2");
  for (u32 k = 0; MODE == 2 || k < 6; k++) {
    cmd(6UL << 32 | 3, k & 3, 0);
    MSR("S3_0_C12_C11_5", (u64)(k & 7) << 24 | 1);
    timer(300);
    wait_us(MODE == 2 ? 4000 : 1000);
    if ((k & 7) == 5) cmd(6UL << 32 | 12, k & 3, 0);
#if MODE == 2
    if ((k & 15) == 9) { /* for a while nothing is taken */
      asm volatile("msr daifset, #2"); timer(10); cmd(6UL << 32 | 3, 2, 0); wait_us(9000); asm volatile("msr daifclr, #2");
    }
#endif
  }
  asm volatile("msr daifset, #2");
  timer(10); cmd(6UL << 32 | 3, 1, 0); wait_us(200);
  psci(n < 2 ? 0x84000009 : 0x84000008);
}
