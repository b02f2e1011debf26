// A repro as a C program without an operating system, which QEMU's virt machine boots. The PEs do their steps in turn, at
// EL2, and the ICV registers are accessed at EL1 below. What reads returned is printed on the serial line at the end.
import { GicTraceError } from '@gictrace/core';
import { sysregName } from '@gictrace/core/spec';
import type { Readable } from '../readable.ts';
import { commentOf, type ProgramRepro } from './repro.ts';
import { programOf, type Step } from './steps.ts';

/** Where the program is: RAM behind everything that a trace may use. */
const BASE = 0xf800_0000;
/** Bit 16 of a record's register: the virtual CPU interface. */
const ICV = 0x1_0000;
const TRANSLATER = 0x0809_0040;
/** Lines that software can raise on this machine: the timers of a PE, and the serial line. */
const TIMERS: Readonly<Record<number, string>> = { 26: 'cnthp', 27: 'cntv', 30: 'cntp' };
const UART_INTID = 33;

const hex = (value: number | bigint) => `0x${value.toString(16)}`;
const wide = (value: number | bigint) => `${hex(value)}ull`;
/** The name by which an assembler knows any system register. */
const generic = (encoding: number) =>
  `S${(encoding >> 14) & 3}_${(encoding >> 11) & 7}_C${(encoding >> 7) & 15}_C${(encoding >> 3) & 15}_${encoding & 7}`;

export function cOf(repro: ProgramRepro, readable: Readable): string {
  const { machine, steps } = programOf(repro.minimized, readable);
  const reads: Step[] = steps.filter((step) => step.does === 'load' || step.does === 'read');
  const lines = steps.map((step, n) => {
    const comment = step.text === '' ? '' : `  /* ${step.text.replaceAll('*/', '* /')} */\n`;
    return `${comment}  if (turn_of(pe, ${n}, ${step.pe})) {\n    ${bodyOf(step, reads.indexOf(step))}\n    done(${n});\n  }`;
  });
  const registers = new Map<string, string>();
  for (const step of steps) {
    if (step.does !== 'read' && step.does !== 'write') continue;
    const isWrite = step.does === 'write';
    registers.set(`${isWrite}${step.register}`, accessor(step.register, isWrite));
  }
  const args = machine.args;
  const option = (name: string) => args[args.indexOf(name) + 1]!;
  const table = reads.map((step) => {
    if (step.does !== 'load' && step.does !== 'read') return '';
    const { reference, other } = step.expected;
    return `  { ${JSON.stringify(step.text)}, ${wide(reference)}, ${other === undefined ? '0, 0' : `${wide(other)}, 1`} },`;
  });
  return `/* gictrace minimize: a repro.
${commentOf(repro)
  .map((line) => ` * ${line.replaceAll('*/', '* /')}`.trimEnd())
  .join('\n')}
 *
 * Build it:
 *   aarch64-linux-gnu-gcc -O1 -ffreestanding -fno-pie -no-pie -nostdlib -static -mgeneral-regs-only -mstrict-align \\
 *     -Wl,-Ttext=${hex(BASE)} -Wl,--build-id=none -o repro.elf THIS-FILE
 * Boot it:
 *   qemu-system-aarch64 -M ${option('-M')} -cpu ${option('-cpu')} -smp ${option('-smp')} -m ${option('-m')} \\
 *     -accel tcg,thread=single -nic none -display none -serial stdio -kernel repro.elf
 * It prints what each read returns, and then RESULT: as the reference, as the other implementation, or neither.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define PES ${machine.pes}
#define STEPS ${steps.length}
#define READS ${reads.length}

static const u64 affinity[PES] = { ${machine.affinities.map(hex).join(', ')} };
static const struct { const char *text; u64 reference, other; int differs; } expected[READS + 1] = {
${[...table, '  { "", 0, 0, 0 },'].join('\n')}
};
static volatile u64 got[READS + 1], failed[READS + 1];
static volatile u64 turn, alive[PES];
volatile u64 fault;
u8 stacks[PES * 4096] __attribute__((aligned(16)));

/* Exceptions at EL2 skip the instruction and are counted; those from EL1 continue at TPIDR_EL2. */
asm(
  ".section .text.start, \\"ax\\"\\n"
  ".global _start\\n"
  "_start:\\n"
  "  msr daifset, #0xf\\n"
  "  mrs x0, mpidr_el1\\n"
  "  and x1, x0, #0xff\\n"
  "  ubfx x0, x0, #8, #8\\n"
  "  add x0, x1, x0, lsl #4\\n"
  "  adrp x1, stacks\\n"
  "  add x1, x1, :lo12:stacks\\n"
  "  add x2, x0, #1\\n"
  "  add x1, x1, x2, lsl #12\\n"
  "  mov sp, x1\\n"
  "  adrp x1, vectors\\n"
  "  add x1, x1, :lo12:vectors\\n"
  "  msr vbar_el2, x1\\n"
  "  adrp x1, vectors_el1\\n"
  "  add x1, x1, :lo12:vectors_el1\\n"
  "  msr vbar_el1, x1\\n"
  "  mov x1, #0x18\\n"
  "  movk x1, #0x8000, lsl #16\\n"
  "  msr hcr_el2, x1\\n"
  "  isb\\n"
  "  bl run\\n"
  "1: wfe\\n"
  "  b 1b\\n"
  ".balign 2048\\n"
  "vectors:\\n"
  "  .space 0x200\\n"
  "  stp x0, x1, [sp, #-16]!\\n"
  "  adrp x1, fault\\n"
  "  mrs x0, esr_el2\\n"
  "  str x0, [x1, :lo12:fault]\\n"
  "  mrs x0, elr_el2\\n"
  "  add x0, x0, #4\\n"
  "  msr elr_el2, x0\\n"
  "  ldp x0, x1, [sp], #16\\n"
  "  eret\\n"
  ".balign 0x400\\n"
  ".rept 16\\n"
  "  mrs x17, tpidr_el2\\n"
  "  br x17\\n"
  "  .balign 0x80\\n"
  ".endr\\n"
  ".balign 2048\\n"
  "vectors_el1:\\n"
  ".rept 16\\n"
  "  hvc #1\\n"
  "  .balign 0x80\\n"
  ".endr\\n");

static void print(const char *text)
{
  for (; *text; text++) {
    while (*(volatile u32 *)0x09000018 & 0x20)
      ;
    *(volatile u32 *)0x09000000 = *text;
  }
}

static void print_hex(u64 value)
{
  char text[19] = "0x";
  int n = 2;
  for (int shift = 60; shift >= 0; shift -= 4)
    if (value >> shift || shift == 0)
      text[n++] = "0123456789abcdef"[value >> shift & 15];
  text[n] = 0;
  print(text);
}

static u64 psci(u64 function, u64 a, u64 b)
{
  register u64 x0 asm("x0") = function;
  register u64 x1 asm("x1") = a;
  register u64 x2 asm("x2") = b;
  register u64 x3 asm("x3") = 0;
  asm volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "x4", "x5", "x6", "x7", "x17", "memory");
  return x0;
}

static int turn_of(u64 pe, u64 n, u64 owner)
{
  if (pe != owner)
    return 0;
  while (turn != n)
    asm volatile("yield");
  fault = 0;
  return 1;
}

static void done(u64 n)
{
  asm volatile("dsb sy" : : : "memory");
  turn = n + 1;
}

#define STORE(type, address, value) \\
  do { *(volatile type *)(u64)(address) = (type)(value); asm volatile("dsb sy" : : : "memory"); } while (0)
#define LOAD(n, type, address) \\
  do { got[n] = *(volatile type *)(u64)(address); failed[n] = fault; } while (0)

${[...registers.values()].join('\n')}
static void finish(void)
{
  int result = 0;
  for (int n = 0; n < READS; n++) {
    print(expected[n].text);
    print(": returned ");
    print_hex(got[n]);
    print(" (reference ");
    print_hex(expected[n].reference);
    if (expected[n].differs) {
      print(", other ");
      print_hex(expected[n].other);
    }
    print("): ");
    int now = failed[n] ? 3
      : got[n] == expected[n].reference ? 0
      : expected[n].differs && got[n] == expected[n].other ? 1 : 2;
    print(now == 0 ? "as the reference\\n" : now == 1 ? "as the other\\n" : now == 2 ? "neither\\n" : "exception\\n");
    if (now > result)
      result = now;
  }
  print("RESULT: ");
  print(result == 0 ? "as the reference\\n" : result == 1 ? "as the other implementation\\n" : "neither\\n");
  psci(0x84000008, 0, 0);
}

void run(u64 pe)
{
  extern char _start[];
  if (pe == 0) {
    /* QEMU has put the device tree there; RAM is to be zero. */
    for (volatile u64 *at = (u64 *)0x40000000; at < (u64 *)0x40200000; at++)
      *at = 0;
    print("${steps.length} steps on ${machine.pes} PEs\\n");
    for (u64 n = 1; n < PES; n++) {
      psci(0xc4000003, affinity[n], (u64)_start);
      while (!alive[n])
        asm volatile("yield");
    }
  }
  alive[pe] = 1;
${lines.join('\n')}
  if (turn_of(pe, STEPS, 0))
    finish();
}
`;
}

/** What a step does, as a statement. `read` is its place among the reads. */
function bodyOf(step: Step, read: number): string {
  switch (step.does) {
    case 'store':
      return `STORE(u${8 * step.width}, ${hex(step.address)}, ${wide(step.value)});`;
    case 'load':
      return `LOAD(${read}, u${8 * step.width}, ${hex(step.address)});`;
    case 'fill':
      return `for (u64 at = ${hex(step.address)}; at < ${wide(step.address + step.length)}; at++)\n      *(volatile u8 *)at = ${hex(step.byte)};`;
    case 'write':
      return `write_${nameOf(step.register)}(${wide(step.value)});`;
    case 'read':
      return `got[${read}] = read_${nameOf(step.register)}();\n    failed[${read}] = fault;`;
    case 'message':
      if (step.device !== 0)
        refuse('a message of another DeviceID than 0, with which software writes GITS_TRANSLATER');
      return `STORE(u32, ${hex(TRANSLATER)}, ${hex(step.event)});`;
    case 'line':
      return lineOf(step);
  }
}

function lineOf({ intid, isPrivate, level }: Extract<Step, { does: 'line' }>): string {
  const timer = TIMERS[intid];
  if (isPrivate && timer !== undefined) {
    const el = timer === 'cnthp' ? 'el2' : 'el0';
    return level
      ? `asm volatile("msr ${timer}_cval_${el}, xzr\\n msr ${timer}_ctl_${el}, %0\\n isb" : : "r"(1ull) : "memory");`
      : `asm volatile("msr ${timer}_ctl_${el}, xzr\\n isb" : : : "memory");`;
  }
  // The transmit interrupt of the serial line, which has sent something.
  if (intid === UART_INTID && !isPrivate) return `STORE(u32, 0x09000038, ${level ? '0x20' : '0'});`;
  return refuse(
    `the input line of INTID ${intid}; it can change those of the timers (PPIs 26, 27, 30) and of the serial line (SPI 33)`,
  );
}

function refuse(what: string): never {
  throw new GicTraceError(
    'usage',
    `a C program cannot make this on QEMU's virt machine: ${what}`,
    {},
    'give --emit qtest',
  );
}

const nameOf = (register: number) => sysregName(register)!.toLowerCase();

/** A function that reads or writes a system register. */
function accessor(register: number, isWrite: boolean): string {
  const name = generic(register & 0xffff);
  const head = isWrite
    ? `static void write_${nameOf(register)}(u64 value)`
    : `static u64 read_${nameOf(register)}(void)`;
  if (register < ICV)
    return isWrite
      ? `${head}\n{\n  asm volatile("msr ${name}, %0\\n isb" : : "r"(value) : "memory");\n}\n`
      : `${head}\n{\n  u64 value = 0;\n  asm volatile("mrs %0, ${name}\\n isb" : "+r"(value) : : "memory");\n  return value;\n}\n`;
  // At EL1; physical interrupts would be taken there, so the priority mask keeps them back meanwhile.
  return `${head}
{
  register u64 x0 asm("x0") = ${isWrite ? 'value' : '0'};
  u64 iss;
  asm volatile(
    "mrs x9, S3_0_C4_C6_0\\n msr S3_0_C4_C6_0, xzr\\n isb\\n"
    "adr x10, 1f\\n msr elr_el2, x10\\n mov x10, #0x3c5\\n msr spsr_el2, x10\\n"
    "adr x10, 2f\\n msr tpidr_el2, x10\\n isb\\n eret\\n"
    "1: ${isWrite ? `msr ${name}, x0` : `mrs x0, ${name}`}\\n hvc #0\\n"
    "2: msr S3_0_C4_C6_0, x9\\n isb\\n mrs %1, esr_el2\\n"
    : "+r"(x0), "=r"(iss) : : "x9", "x10", "x17", "memory");
  if (iss & 0xffff)
    fault = iss;
${isWrite ? '' : '  return x0;\n'}}
`;
}
