// Names of interrupts, from the text of /proc/interrupts of an arm64 Linux: by INTID for the interrupts of the GIC itself, by
// DeviceID and EventID for those of PCI devices.
import { GicTraceError } from '@gictrace/core';
import { INTID_RANGES } from '@gictrace/core/spec';

export class InterruptNames {
  private readonly ofIntid = new Map<number, string>();
  private readonly ofEvent = new Map<string, string>();

  /** How many interrupts have a name. */
  get count(): number {
    return this.ofIntid.size + this.ofEvent.size;
  }

  add(INTID: number, name: string): void {
    this.ofIntid.set(INTID, name);
  }

  addEvent(DeviceID: number, EventID: number, name: string): void {
    this.ofEvent.set(`${DeviceID}.${EventID}`, name);
  }

  of(INTID: number): string | undefined {
    return this.ofIntid.get(INTID);
  }

  ofMessage(DeviceID: number, EventID: number): string | undefined {
    return this.ofEvent.get(`${DeviceID}.${EventID}`);
  }
}

/** IPI3: 12 34 Timer broadcast interrupts. Linux sends IPI n as SGI n. */
const IPI = /^IPI(\d{1,2}):((?: +\d+)+) +(\S.*)$/;
/** 12: 5 6 GICv3 27 Level arch_timer. The chip has no blanks in its name; what follows the trigger is the name of the action. */
const LINE = /^(\d+):((?: +\d+)+) +(\S+) +(\d+) +(?:Level|Edge) +(\S.*)$/;
/** The chip of a PCI device that has an MSI domain of its own: ITS-PCI-MSIX-0000:00:02.0, with its PCI domain in front. */
const PCI = /^ITS-PCI-MSIX?-([0-9a-f]{4,8}):([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/;
/** Linux's hwirq of ITS-MSI, from its lowest bits on: the number of the message, that of the PCI device, the PCI domain. */
const MESSAGES = 2 ** 11;
const DEVICES = 2 ** 16;

/**
 * Reads /proc/interrupts. DeviceIDs are taken as the number of the PCI device (bus, device, function), and EventIDs as the
 * number of the message, which is so where the machine does not remap them. What devices of two PCI domains would share has
 * no name: the text does not contain how the machine tells their DeviceIDs apart.
 * @throws GicTraceError `input` if no line names an interrupt of a GIC.
 */
export function readInterruptNames(text: string, path: string): InterruptNames {
  const names = new InterruptNames();
  /** By DeviceID: its PCI domain, or null if devices of several have it. */
  const domains = new Map<number, number | null>();
  const events: [DeviceID: number, EventID: number, name: string][] = [];
  const found = (domain: number, device: number, message: number, name: string) => {
    const other = domains.get(device);
    domains.set(device, other === undefined || other === domain ? domain : null);
    events.push([device, message, name]);
  };
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    const ipi = IPI.exec(trimmed);
    if (ipi !== null) {
      const sgi = Number(ipi[1]);
      if (sgi <= INTID_RANGES.SGI.last) names.add(sgi, ipi[3]!);
      continue;
    }
    const [, , , chip = '', digits = '', action = ''] = LINE.exec(trimmed) ?? [];
    const hwirq = Number(digits);
    const pci = PCI.exec(chip);
    if (/^GICv[34]$/i.test(chip)) names.add(hwirq, action);
    else if (pci !== null) {
      const [domain, bus, device, func] = pci.slice(1).map((part) => Number.parseInt(part, 16));
      found(domain!, (bus! << 8) | (device! << 3) | func!, hwirq, action);
    } else if (chip === 'ITS-MSI') {
      const device = Math.floor(hwirq / MESSAGES);
      found(Math.floor(device / DEVICES), device % DEVICES, hwirq % MESSAGES, action);
    }
  }
  for (const [device, message, name] of events)
    if (domains.get(device) !== null) names.addEvent(device, message, name);
  if (names.count === 0)
    throw new GicTraceError(
      'input',
      'names no interrupt of a GIC',
      { path },
      'it must be the text of /proc/interrupts of an arm64 Linux',
    );
  return names;
}
