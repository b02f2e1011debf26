// The proxy device as first posted: a move discards the event. If one vPE of a VM cannot be made, the vPEs that were made
// before it are freed except the last.
import { ProxyDriver, proxyDesign } from './proxy-driver.ts';
import type { Vpe } from './vpe-driver.ts';

class RfcProxyDriver extends ProxyDriver {
  protected moved(vpe: Vpe): void {
    if (this.isMapped(vpe)) this.unmapEvent(vpe);
  }

  protected override freeVpes(first: number, lpi: number, count: number): void {
    super.freeVpes(first, lpi, Math.max(0, count - 1));
  }
}

export const vpeProxyRfc = proxyDesign(
  'vpe-proxy-rfc',
  'The proxy device as first posted: a move discards the event.',
  RfcProxyDriver,
);
