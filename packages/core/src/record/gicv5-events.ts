// The record kinds of events inside a GICv5 (ids 133 to 159).
import type { RecordKind } from './shape.ts';

export const GICV5_EVENTS = {} as const satisfies Record<string, RecordKind>;
