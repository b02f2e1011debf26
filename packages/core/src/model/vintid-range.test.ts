// The IDbits of the Distributor bound a vINTID, too, whatever altered tables say (IHI 0069, "VMAPTI").
import { expect, it } from 'vitest';
import { ITT, VPES } from '../conformance/guest.ts';
import { outcomeName } from '../spec/index.ts';
import { Driver, testConfig } from './driver.test-support.ts';

const DEVICE = 1;
const EVENT = { DeviceID: DEVICE, EventID: 1 };

/** Guest memory has these bits set in the byte. */
function alter(d: Driver, address: number, bits: number): void {
  d.store(address, d.machine.state.memory.readByte(address) | bits);
}

for (const name of ['INT', 'CLEAR', 'INV', 'DISCARD'] as const)
  it(`${name} of an event with a vINTID of 17 bits fails, though the table of its vPE would hold it`, () => {
    const d = new Driver('qemu-11.1', 2, testConfig('qemu-11.1', 2, { architecture: 4, virtualLpis: '4.0' }));
    d.enable().its().virtual(1);
    d.command('MAPD', { DeviceID: DEVICE, Size: 4, ITT_addr: ITT + 0x1000, V: 1 });
    d.command('VMAPTI', { ...EVENT, vPEID: 0, vINTID: 8192, Dbell_pINTID: 1023 });
    alter(d, VPES, 31 << 1); // VPT_size
    if (name !== 'DISCARD') expect(outcomeName(d.command(name, EVENT)!)).toBe('EXECUTED');
    const entry = ITT + 0x1000 + 12;
    alter(d, entry + 2, 4); // vINTID + 65536
    expect(outcomeName(d.command(name, EVENT)!)).toBe(`E_ITS_${name}_VIRTUALID_OOR`);
    expect(d.machine.state.memory.readByte(entry) & 1, 'the entry is still valid').toBe(1);
  });
