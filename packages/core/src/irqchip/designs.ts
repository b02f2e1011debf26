// All designs, by name.

import type { Design } from './driver.ts';
import {
  directLpi,
  directLpiInvall,
  directLpiLossy,
  directLpiRfc,
  directLpiRfcIntid,
} from './drivers/direct-lpi.ts';
import { gicv5Its } from './drivers/gicv5/its.ts';
import { gicv5Setlpi } from './drivers/gicv5/setlpi.ts';
import { gicv5Spi } from './drivers/gicv5/spi.ts';
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
  hypervSpi517,
  hypervSpiFirstZero,
  hypervSpiNoEdge,
  hypervSpiRoundRobin,
  hypervSpiUnsigned,
  mbi,
  mbiAcpi,
} from './drivers/message-spi.ts';
import { vpeDirect } from './drivers/vpe/direct.ts';
import { vpeNaive } from './drivers/vpe/naive.ts';
import { vpeProxy } from './drivers/vpe/proxy.ts';
import { vpeProxyRfc } from './drivers/vpe/proxy-rfc.ts';
import { vpeV41, vpeV41Skip } from './drivers/vpe/v41.ts';

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
  mbiAcpi,
  gicv2m,
  hypervSpi,
  hypervSpi517,
  hypervSpiFirstZero,
  hypervSpiRoundRobin,
  hypervSpiNoEdge,
  hypervSpiUnsigned,
  gicv5Its,
  gicv5Setlpi,
  gicv5Spi,
  vpeProxy,
  vpeProxyRfc,
  vpeNaive,
  vpeDirect,
  vpeV41,
  vpeV41Skip,
];

export const DESIGNS: Readonly<Record<string, Design>> = Object.fromEntries(
  ALL.map((design) => [design.name, design]),
);
