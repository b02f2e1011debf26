// Claims of the discussion of dev-MSI.
import type { Claim } from './claim.ts';
import { shipped } from './scenarios.ts';

export const DEV_MSI_CLAIMS: readonly Claim[] = [
  {
    name: 'two-blocks',
    thread: 'dev-msi',
    seed: '003_c2af753a618f104a.txt',
    quote:
      'How is it going to work once you have devices sending their MSIs to two different downstream blocks?',
    says: 'The message of a device behind the second block has no effect.',
    scenarios: () => [shipped('two-blocks')],
    designs: ['its', 'platform-msi', 'dev-msi', 'per-device-msi', 'mbi', 'direct-lpi'],
    query: 'undelivered_messages',
    where: "outcome = 'lost'",
    accused: ['dev-msi'],
    cleared: ['its', 'platform-msi', 'per-device-msi', 'mbi', 'direct-lpi'],
    note: 'All devices have the same default parent, so the message names its ITS, which does not know the device.',
  },
  {
    name: 'mask-in-the-device',
    thread: 'dev-msi',
    seed: '003_c2af753a618f104a.txt',
    quote: 'masking an interrupt is an irqchip operation, and only concerns the irqchip level.',
    says: 'A vector that is unmasked stays disabled, because only the device is unmasked.',
    scenarios: () => [shipped('fire')],
    designs: ['its', 'platform-msi', 'dev-msi', 'per-device-msi'],
    query: 'undelivered_messages',
    where: "outcome = 'stranded'",
    accused: ['dev-msi'],
    cleared: ['its', 'platform-msi', 'per-device-msi'],
    note: 'The posted chip uses callbacks of the device for mask and unmask and does not call its parent. An x86 vector does not need this, but an LPI is enabled by its configuration byte, which is then never written.',
  },
  {
    name: 'vectors-of-a-device',
    thread: 'dev-msi',
    seed: '003_c2af753a618f104a.txt',
    quote: '#define MAX_DEV_MSIS (1 << (32 - DEV_ID_SHIFT))',
    says: 'A device with 2,049 vectors is refused; one with 2,048 is not.',
    scenarios: () => [shipped('vectors-of-a-device')],
    designs: ['its', 'platform-msi', 'dev-msi', 'per-device-msi'],
    query: 'exhausted_operations',
    accused: ['platform-msi', 'dev-msi'],
    cleared: ['its', 'per-device-msi'],
    note: 'hwirq is devid << 11 | index: the 2,049th would be the first vector of the next device. The 2^21 device numbers never run out on one ITS with 16 bits of INTID, which has 57,344 LPIs.',
  },
];
