// The user's QEMU command line: RAM in all the forms of -m, monitors that stay where they were, memory of the user's own.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasGicv5, logOptions, plan, sizeOf } from './command.ts';

const MIB = 2 ** 20;
const ramOf = (...args: string[]) => plan(args, '/q', true);
const added = (...args: string[]) => plan(args, '/q', false).added.join(' ');

describe('RAM', () => {
  it.each([
    [['-M', 'virt'], 128 * MIB],
    [['-M', 'virt,gic-version=3', '-m', '512'], 512 * MIB],
    [['-machine', 'virt-7.2', '-m', '1G'], 1024 * MIB],
    [['--machine', 'type=virt', '--m', 'size=1.5g,slots=2,maxmem=4G'], 1536 * MIB],
    [['-M', 'virt', '-m', '0x80M'], 128 * MIB],
    [['-M', 'virt', '-m', '2048K'], 2 * MIB],
    [['-M', 'virt', '-m', '512', '-m', 'slots=2,maxmem=4G'], 512 * MIB],
    [['-M', 'virt', '-m', '0'], 128 * MIB],
    [['-M', 'sbsa-ref'], 1024 * MIB],
    [['-append', '-m 64', '-M', 'virt'], 128 * MIB],
  ])('%j', (args, size) => {
    const { backends, reason, added: words } = ramOf(...args);
    // A saved state knows the RAM by the name that QEMU would have given it.
    const id = args.join().includes('sbsa') ? 'sbsa-ref.ram' : 'mach-virt.ram';
    expect([backends, reason]).toEqual([[{ id, path: undefined, size }], undefined]);
    expect(words.join(' ')).toMatch(new RegExp(`,size=${size},share=on -machine memory-backend=${id}$`));
  });

  it.each([
    [['-M', 'raspi3b'], /say -m/],
    [['-M', 'virt', '-m', 'much'], /say -m/],
    [['-M', 'virt', '-mem-path', '/x'], /-mem-path/],
    [['-M', 'virt', '-readconfig', 'x'], /-readconfig/],
    [['-M', 'virt,memory.size=1G'], /say -m/],
    [['-M', 'virt,memory-backend=a', '-object', 'memory-backend-ram,id=a,size=1G'], /share=on/],
    [['-M', 'virt,memory-backend=a', '-object', 'memory-backend-file,id=a,size=1G,mem-path=/f'], /share=on/],
  ])('%j is not taken over, and why is said', (args, reason) => {
    const found = ramOf(...args);
    expect(found.reason).toMatch(reason);
    expect(found.added.join(' ')).not.toContain('memory-backend');
  });

  it('that the user shares is read where it is', () => {
    const {
      backends,
      added: words,
      reason,
    } = ramOf(
      ...['-M', 'virt', '-numa', 'node,memdev=a', '-numa', 'node,memdev=b'],
      ...['-object', 'memory-backend-file,id=a,share=on,size=64M,mem-path=/dev/shm/a,,b'],
      ...['-object', '{"qom-type":"memory-backend-memfd","id":"b","size":67108864}'],
      ...['-object', 'rng-random,id=r'],
    );
    expect(reason).toBeUndefined();
    expect(backends).toEqual([
      { id: 'a', path: '/dev/shm/a,b', size: 64 * MIB },
      { id: 'b', path: undefined, size: 64 * MIB },
    ]);
    expect(words.join(' ')).not.toContain('memory-backend');
  });

  it('has the size that QEMU reads', () => {
    fc.assert(
      fc.property(fc.nat(4096), fc.constantFrom(...'bkmgtpe', ''), (n, suffix) => {
        const power = suffix === '' ? 2 : 'bkmgtpe'.indexOf(suffix);
        expect(sizeOf(`${n}${suffix}`)).toBe(n * 1024 ** power);
        expect(sizeOf(`0x${n.toString(16)}${suffix.replace(/[be]/, 'k')}`)).toBe(
          n * 1024 ** (suffix === 'b' || suffix === 'e' ? 1 : power),
        );
      }),
    );
    expect([sizeOf(''), sizeOf('G'), sizeOf('-1'), sizeOf('1GB')]).toEqual(Array(4).fill(undefined));
  });
});

describe('the monitor', () => {
  it.each([
    [['-nographic'], /^-serial mon:stdio -qmp unix:/],
    [['-nographic', '-serial', 'null'], /^-monitor stdio -qmp unix:/],
    [['-display', 'none'], /^-monitor vc:80Cx24C -qmp unix:/],
    [['-nographic', '-monitor', 'none'], /^-qmp unix:/],
    [['-nodefaults'], /^-qmp unix:/],
    [['-nographic', '-qmp', 'unix:x'], /^-qmp unix:/],
  ])('of %j stays where QEMU would have it', (args, expected) => {
    expect(added(...args)).toMatch(expected);
  });
});

describe('a GICv5', () => {
  it.each([
    [['-M', 'virt,gic-version=x-5'], true],
    [['-machine', 'virt', '-M', 'gic-version=5'], true],
    [['-machine', '{"type":"virt","gic-version":"x-5"}'], true],
    [['-M', 'virt,gic-version=x-5', '-M', 'gic-version=3'], false],
    [['-M', 'virt,gic-version=3', '-append', '-M gic-version=x-5'], false],
    [['-M', 'virt'], false],
  ])('%j: %s', (args, expected) => {
    expect(hasGicv5(args)).toBe(expected);
  });

  it('is recorded with the exceptions, unless the user has log items', () => {
    const machine = ['-M', 'virt,gic-version=x-5', '-drive', 'file=d'];
    const notes: string[] = [];
    const logged = (...args: string[]) => logOptions(args, (text) => notes.push(text)).join(' ');
    expect(logged(...machine)).toBe('-msg timestamp=on -trace gicv5_* -d int');
    expect(notes).toEqual([]);
    expect(logged(...machine, '-d', 'guest_errors')).toBe('-msg timestamp=on -trace gicv5_*');
    expect(notes).toEqual([expect.stringContaining('has -d')]);
    expect(logged('-M', 'virt', '-d', 'int')).toBe(
      '-msg timestamp=on -trace gicv3_* -trace memory_region_ops_*',
    );
    expect(notes).toHaveLength(1);
  });
});
