// All designs, by name.

import type { Design } from './driver.ts';
import {
  directLpi,
  directLpiInvall,
  directLpiLossy,
  directLpiRfc,
  directLpiRfcIntid,
} from './drivers/direct-lpi.ts';
import {
  devMsi,
  its,
  perDeviceMsi,
  platformMsi,
  preIts,
  virtualIts,
  virtualItsHosted,
  virtualItsUnpatched,
} from './drivers/its.ts';
import {
  gicv2m,
  hypervSpi,
  hypervSpiFirstZero,
  hypervSpiNoEdge,
  hypervSpiRoundRobin,
  hypervSpiUnsigned,
  mbi,
} from './drivers/message-spi.ts';
import { vpeDirect, vpeNaive, vpeProxy, vpeProxyRfc, vpeV41 } from './drivers/vpe-doorbell.ts';

const ALL: readonly Design[] = [
  its,
  preIts,
  platformMsi,
  devMsi,
  perDeviceMsi,
  virtualIts,
  virtualItsUnpatched,
  virtualItsHosted,
  directLpiRfc,
  directLpiRfcIntid,
  directLpi,
  directLpiLossy,
  directLpiInvall,
  mbi,
  gicv2m,
  hypervSpi,
  hypervSpiFirstZero,
  hypervSpiRoundRobin,
  hypervSpiNoEdge,
  hypervSpiUnsigned,
  vpeProxy,
  vpeProxyRfc,
  vpeNaive,
  vpeDirect,
  vpeV41,
];

export const DESIGNS: Readonly<Record<string, Design>> = Object.fromEntries(
  ALL.map((design) => [design.name, design]),
);
