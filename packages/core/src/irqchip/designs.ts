// All designs, by name.

import type { Design } from './driver.ts';
import { directLpi, directLpiLossy, directLpiRfc, directLpiRfcIntid } from './drivers/direct-lpi.ts';
import { its, virtualIts, virtualItsHosted } from './drivers/its.ts';
import { hypervSpi, mbi } from './drivers/mbi.ts';
import { vpeDirect, vpeNaive, vpeProxy, vpeProxyRfc, vpeV41 } from './drivers/vpe-doorbell.ts';

export const DESIGNS: Readonly<Record<string, Design>> = Object.fromEntries(
  [
    its,
    virtualIts,
    virtualItsHosted,
    directLpiRfc,
    directLpiRfcIntid,
    directLpi,
    directLpiLossy,
    mbi,
    hypervSpi,
    vpeProxy,
    vpeProxyRfc,
    vpeNaive,
    vpeDirect,
    vpeV41,
  ].map((design) => [design.name, design]),
);
