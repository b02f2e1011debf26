// Designs that claims run, by kind.
export const ITS = ['its', 'pre-its', 'platform-msi', 'per-device-msi'];
export const VIRTUAL_ITS = ['virtual-its', 'virtual-its-hosted'];
export const DIRECT = [
  'direct-lpi-rfc',
  'direct-lpi-rfc-intid',
  'direct-lpi',
  'direct-lpi-lossy',
  'direct-lpi-invall',
];
export const SPIS = ['mbi', 'gicv2m', 'hyperv-spi'];
/** The same questions on a GICv5: with an ITS, by the SETLPI frame, by SPIs. */
export const GICV5 = ['gicv5-its', 'gicv5-setlpi', 'gicv5-spi'];
export const DEVICES = [...ITS, 'dev-msi', ...VIRTUAL_ITS, ...DIRECT, ...SPIS, ...GICV5];
export const VPES = ['vpe-proxy', 'vpe-proxy-rfc', 'vpe-naive', 'vpe-direct', 'vpe-v41', 'vpe-v41-skip'];
/** Those of vPEs without the variants of GICv4.1. */
export const LINUX_VPES = ['vpe-proxy', 'vpe-proxy-rfc', 'vpe-naive', 'vpe-direct', 'vpe-v41'];
