// Claims that are statements about code: the driver here was written after the code, so that a run alone is no evidence. Each
// says what it was held against. `excerpts` are the lines of the source on which it depends, as short as they can be; a test
// computes from them what the driver must do.

export interface CodeClaim {
  /** The file or discussion, and the version where it matters. */
  readonly source: string;
  /** What the source does, and how the driver here follows it. */
  readonly held: string;
}

const POSTED = 'the patches in the discussion';
const ITS = 'drivers/irqchip/irq-gic-v3-its.c';

/** By claim. */
export const CODE_CLAIMS: Readonly<Record<string, CodeClaim>> = {
  'per-device-allocation': {
    source: POSTED,
    held: 'dlpi_create_device rounds nvecs up to a power of two, and its_create_device does; the driver rounds where they do.',
  },
  'column-map': {
    source: `${POSTED}; ${ITS}`,
    held: 'Both allocate the range of LPIs before col_map, and free only the bitmap if col_map is refused.',
  },
  'collections-leak': {
    source: 'patch 1/2 of the discussion',
    held: 'The patch adds its_free_collections to the error path of its_init_domain; virtual-its-unpatched is without it.',
  },
  'one-virtual-its': {
    source: POSTED,
    held: 'virtual_its_node is one static pointer, and the domain token is registered with ID 0; the driver refuses a second block.',
  },
  'devid-clash': {
    source: `${POSTED}; ${ITS}`,
    held: 'its_msi_prepare compares the DeviceID with that of the proxy and returns -EINVAL; the driver refuses it there.',
  },
  'vectors-of-a-device': {
    source: 'drivers/base/platform-msi.c',
    held: 'DEV_ID_SHIFT is 21, so that 32 − 21 = 11 bits are left for the index: 2,048 vectors.',
  },
  'spi-space': {
    source: 'IHI 0069, "INTIDs"; pci-hyperv.c',
    held: 'SPIs are INTIDs 32 to 1019: 988. pci-hyperv.c takes those from 64 on: 956.',
  },
  'round-robin': {
    source: 'the patch under review',
    held: 'The last PE wraps to 0 and is then incremented, so that with one PE the result is PE 1.',
  },
  'vm-error-path': {
    source: `${ITS}, 2016 to 2021`,
    held: 'its_vpe_irq_domain_alloc freed i − 1 of i vPEs. The seed does not contain this function.',
  },
  'unsigned-index': {
    source: 'the patch under review',
    held: 'A negative error in an unsigned index is not below 0; −12 + 64 = 52.',
  },
};
