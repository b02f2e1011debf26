// @gictrace/replayer/minimize: the smallest part of a trace that still shows something, and its forms as a repro.
export { checkGicv5Forms, EMITTERS, type EmitFormat } from './emit/index.ts';
export { type Check, linesOf, outcomeOf, type Repro } from './emit/repro.ts';
export { type Gicv5Keep, type Gicv5Minimized, minimizeGicv5Trace } from './gicv5.ts';
export { type MinimizeOptions, type Property, saveMinimized } from './minimization.ts';
export { type Keep, type Minimized, minimizeTrace } from './minimize.ts';
export { shapeOf, signatureOf } from './signature.ts';
