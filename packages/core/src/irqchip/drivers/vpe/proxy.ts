// Linux's proxy device: the event of a vPE stays mapped until another vPE needs its slot, and moves with the vPE.
import { ProxyDriver, proxyDesign } from './proxy-driver.ts';
import type { Vpe } from './vpe-driver.ts';

class LinuxProxyDriver extends ProxyDriver {
  protected moved(vpe: Vpe): void {
    this.moveEvent(vpe);
  }
}

export const vpeProxy = proxyDesign(
  'vpe-proxy',
  "Linux's proxy device: an event that stays mapped until its slot is needed.",
  LinuxProxyDriver,
);
