// A proxy device that maps an event for each operation and discards it afterwards. Linux's proxy avoids these commands.
import { ProxyDriver, proxyDesign } from './proxy-driver.ts';
import type { DoorbellCommand, Vpe } from './vpe-driver.ts';

class NaiveProxyDriver extends ProxyDriver {
  protected override act(vpe: Vpe, command: DoorbellCommand): void {
    super.act(vpe, command);
    this.unmapEvent(vpe);
  }

  /** Between operations no event is mapped, so there is nothing to move. */
  protected moved(): void {}
}

export const vpeNaive = proxyDesign(
  'vpe-naive',
  'A proxy device that maps an event before each operation and discards it afterwards.',
  NaiveProxyDriver,
);
