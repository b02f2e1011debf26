// Parses the text of the probes that make a complete source of ftrace for a KVM guest: ITS commands, LPI configuration,
// SGIs, MSIs, list registers, and which virtual machine each is of. docs/import.md says how to set them up. Only names of
// events and of fields count; any of them may be missing.
import { Fields } from './events.ts';

export type Probe =
  /** Which virtual machine and vCPU a `struct kvm_vcpu` is. */
  | { readonly type: 'vcpu'; readonly kvm: bigint; readonly id: number }
  /** The guest wrote an SGI register. Group 1 is allowed: ICC_SGI1R_EL1, or ICC_ASGI1R_EL1. */
  | {
      readonly type: 'sgi';
      readonly kvm: bigint | undefined;
      readonly value: bigint;
      readonly isGroup1: boolean;
    }
  /** A message for an ITS. Its outcome is undefined if the line does not have it. */
  | {
      readonly type: 'msi';
      readonly kvm: bigint;
      readonly address: bigint;
      readonly data: number;
      readonly device: number;
      readonly isCached: boolean;
      readonly isInjected: boolean | undefined;
    }
  /** The outcome of the message that the same thread was about to inject. */
  | { readonly type: 'msi outcome'; readonly isInjected: boolean }
  /** KVM read guest memory, or was handed a command that it had read (without address). */
  | {
      readonly type: 'guest read';
      readonly kvm: bigint;
      readonly address: bigint | undefined;
      readonly length: number;
      /** Doublewords, low bytes first. */
      readonly data: readonly bigint[];
      readonly caller: string;
    }
  | { readonly type: 'lpi config'; readonly kvm: bigint; readonly intid: number; readonly config: number }
  | { readonly type: 'listed'; readonly intid: number; readonly lr: number }
  | { readonly type: 'folded'; readonly lrs: readonly bigint[] }
  | { readonly type: 'queued'; readonly kvm: bigint; readonly intid: number }
  | { readonly type: 'hwirq'; readonly hwirq: number };

/** `(vgic_its_process_commands+0xa4/0xd78 <- kvm_read_guest)`, or `(symbol+0x0/0x1c8)`. */
const PLACE = /^\(([A-Za-z_][\w.]*)(?![\w.])[^)]*\)\s*/;
/** More bytes than a probe prints. */
const READ_MAX = 32;

type Parser = (fields: Fields, caller: string) => Probe | undefined;

const PARSERS: { readonly [event: string]: Parser } = {
  vgic_vcpu: (fields) => {
    const [kvm, id] = [fields.get('kvm'), fields.numbers('id')];
    return kvm === undefined || id === undefined ? undefined : { type: 'vcpu', kvm, id: id[0] };
  },
  vgic_sgi: (fields) => {
    const [value, group] = [fields.get('sgir'), fields.get('g1')];
    if (value === undefined || group === undefined) return undefined;
    return { type: 'sgi', kvm: fields.get('kvm'), value: BigInt.asUintN(64, value), isGroup1: group !== 0n };
  },
  vgic_msi: (fields) => msi(fields, false),
  vgic_msi_cached_in: (fields) => msi(fields, true),
  vgic_msi_cached: (fields) => {
    const ret = fields.get('ret');
    if (ret === undefined) return undefined;
    return fields.has('devid') ? msi(fields, true) : { type: 'msi outcome', isInjected: ret === 0n };
  },
  rdguest: (fields, caller) => {
    const [kvm, address, length] = [fields.get('kvm'), fields.get('gpa'), fields.get('len')];
    const ret = fields.get('ret') ?? 0n;
    if (kvm === undefined || address === undefined || length === undefined || length < 1n) return undefined;
    const data = doublewords(fields, Math.ceil(Math.min(Number(length), READ_MAX) / 8));
    if (data === undefined) return undefined;
    // What could not be read is not known; neither is what the probe does not print.
    const bytes = ret !== 0n || length > READ_MAX ? 0 : Number(length);
    return { type: 'guest read', kvm, address, length: bytes, data, caller };
  },
  vgic_cmd: (fields, caller) => {
    const kvm = fields.get('kvm');
    const data = doublewords(fields, 4);
    if (kvm === undefined || data === undefined) return undefined;
    return { type: 'guest read', kvm, address: undefined, length: READ_MAX, data, caller };
  },
  vgic_lpicfg: (fields) => {
    const [kvm, numbers] = [fields.get('kvm'), fields.numbers('intid', 'cfg')];
    if (kvm === undefined || numbers === undefined) return undefined;
    return { type: 'lpi config', kvm, intid: numbers[0], config: numbers[1] & 0xff };
  },
  vgic_lr: (fields) => {
    const numbers = fields.numbers('intid', 'lr');
    return numbers === undefined ? undefined : { type: 'listed', intid: numbers[0], lr: numbers[1] };
  },
  vgic_fold: (fields) => {
    const lrs: bigint[] = [];
    const used = fields.numbers('used')?.[0] ?? 16;
    for (let n = 0; n < Math.min(used, 16); n++) {
      const value = fields.get(`lr${n}`);
      if (value === undefined) break;
      lrs.push(BigInt.asUintN(64, value));
    }
    return { type: 'folded', lrs };
  },
  vgic_queue: (fields) => {
    const [kvm, intid] = [fields.get('kvm'), fields.numbers('intid')];
    return kvm === undefined || intid === undefined ? undefined : { type: 'queued', kvm, intid: intid[0] };
  },
  host_irq: (fields) => {
    const hwirq = fields.numbers('hwirq');
    return hwirq === undefined ? undefined : { type: 'hwirq', hwirq: hwirq[0] };
  },
};

/** What a probe reports; undefined for an event that is no probe, 'malformed' for text that does not fit. */
export function parseProbe(event: string, text: string): Probe | 'malformed' | undefined {
  if (!Object.hasOwn(PARSERS, event)) return undefined;
  const place = PLACE.exec(text);
  return PARSERS[event]!(new Fields(text.slice(place?.[0].length ?? 0)), place?.[1] ?? '') ?? 'malformed';
}

function msi(fields: Fields, isCached: boolean): Probe | undefined {
  const [kvm, low, ret] = [fields.get('kvm'), fields.get('addr'), fields.get('ret')];
  const numbers = fields.numbers('data', 'devid');
  if (kvm === undefined || low === undefined || numbers === undefined) return undefined;
  return {
    type: 'msi',
    kvm,
    address: ((fields.get('hi') ?? 0n) << 32n) | low,
    data: numbers[0] >>> 0,
    device: numbers[1] >>> 0,
    isCached,
    isInjected: isCached && ret !== undefined ? ret === 0n : undefined,
  };
}

function doublewords(fields: Fields, count: number): bigint[] | undefined {
  const list: bigint[] = [];
  for (let k = 0; k < count; k++) {
    const value = fields.get(`d${k}`);
    if (value === undefined) return undefined;
    list.push(BigInt.asUintN(64, value));
  }
  return list;
}
