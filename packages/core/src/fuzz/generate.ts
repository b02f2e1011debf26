// Generates stimuli from a seed: legal ones in an order that makes interrupts flow, with illegal ones in between. The same
// configuration, options and seed always give the same stimuli, whatever the GIC answers.
import type { GicConfig } from '../config.ts';
import type { RecordBatch } from '../record/index.ts';
import { contain, InUse } from './contain.ts';
import { anything, registerAccess } from './draw-anything.ts';
import { Interrupts } from './draw-interrupts.ts';
import { commandNext, configuration, message } from './draw-its.ts';
import { virtualInterface } from './draw-virtual.ts';
import { type GeneratorOptions, Pieces } from './pieces.ts';
import { disableSecurity, revive, setUp } from './set-up.ts';

/** GICD_CTLR.DS is set after about so many stimuli, in seeds in which it is. */
const DISABLED_WITHIN = 500;

export class StimulusGenerator {
  private readonly pieces: Pieces;
  private readonly interrupts: Interrupts;
  private readonly inUse: InUse;

  /** `seed` has 32 bits. */
  constructor(config: GicConfig, seed: number, options: GeneratorOptions = {}) {
    this.pieces = new Pieces(config, seed, options);
    this.inUse = new InUse(config);
    this.interrupts = new Interrupts(this.pieces);
    setUp(this.pieces);
  }

  /** Appends the next stimulus to a batch that has room. */
  next(batch: RecordBatch): void {
    const from = batch.count;
    while (!this.appended(batch)) {
      // Something was added to the script; it is appended in the next round.
    }
    if (this.pieces.contained) for (let i = from; i < batch.count; i++) contain(batch, i, this.inUse);
  }

  /** Appends the next stimulus of the script, or draws one. Returns false if drawing only extended the script. */
  private appended(batch: RecordBatch): boolean {
    const { pieces } = this;
    const scripted = pieces.script.shift();
    if (scripted !== undefined) {
      scripted(batch);
      return true;
    }
    if (pieces.wild > 0 && pieces.random.once(pieces.wild)) return anything(pieces, batch);
    return this.sensible(batch);
  }

  private sensible(batch: RecordBatch): boolean {
    const { pieces, interrupts } = this;
    const r = pieces.random;
    if (pieces.reconfigures && r.once(120)) {
      revive(pieces);
      return false;
    }
    if (pieces.disablesSecurity && r.once(DISABLED_WITHIN)) {
      disableSecurity(pieces);
      return false;
    }
    if (pieces.security !== undefined && r.once(10)) {
      pieces.security.change(batch, pieces.pe());
      return true;
    }
    // Registers of interrupts that can occur, and of the CPU interfaces that receive them.
    if (pieces.reconfigures && r.once(4)) {
      if (!r.once(3)) return interrupts.register(batch);
      interrupts.cpuInterface(batch);
      return true;
    }
    switch (r.below(pieces.hasIts ? 12 : 7)) {
      case 0:
        return interrupts.line(batch) || this.sensible(batch);
      case 1:
      case 2:
        interrupts.acknowledge(batch);
        return true;
      case 3:
        interrupts.end(batch);
        return true;
      case 4:
        interrupts.sgi(batch);
        return true;
      case 5:
        registerAccess(pieces, batch);
        return true;
      case 6:
        virtualInterface(pieces, interrupts, batch);
        return true;
      case 7:
      case 8:
        message(pieces, batch);
        return true;
      case 9:
        configuration(pieces, batch);
        return true;
      default:
        commandNext(pieces);
        return false;
    }
  }
}
