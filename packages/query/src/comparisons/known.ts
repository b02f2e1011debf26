// What is known of a design besides its run.
import type { CostModel } from '@gictrace/core/irqchip';

/** What is known of a design besides its run: its measured properties, and what costs are worth. */
export interface KnownOfDesign {
  readonly properties: {
    readonly needs: readonly string[];
    readonly isolates: string;
    readonly vfio: string;
    readonly multiMsi: string;
    readonly migrates: string;
  };
  readonly model: CostModel;
}
