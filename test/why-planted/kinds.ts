// Faults of the kinds that people meet, planted at a random place into any recording: each chooses an interrupt that the
// recording delivers, plants one fault on its way, and answers the question that somebody would ask about it.
import type { Kind } from './choose.ts';
import { COMMANDS } from './commands.ts';
import { INTERRUPTS } from './interrupts.ts';
import { LPIS } from './lpis.ts';

export const KINDS: Readonly<Record<string, Kind>> = { ...INTERRUPTS, ...COMMANDS, ...LPIS };
