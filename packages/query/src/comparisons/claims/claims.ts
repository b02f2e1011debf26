// The claims of the mailing-list discussions, ordered by discussion.
import type { Claim } from './claim.ts';
import { DEV_MSI_CLAIMS } from './of-dev-msi.ts';
import { DIRECT_LPI_CLAIMS } from './of-direct-lpi.ts';
import { PROXY_CLAIMS } from './of-proxy.ts';
import { SPI_CLAIMS } from './of-spis.ts';
import { VIRTUAL_ITS_CLAIMS } from './of-virtual-its.ts';

export const CLAIMS: readonly Claim[] = [
  ...DIRECT_LPI_CLAIMS,
  ...VIRTUAL_ITS_CLAIMS,
  ...PROXY_CLAIMS,
  ...DEV_MSI_CLAIMS,
  ...SPI_CLAIMS,
];
