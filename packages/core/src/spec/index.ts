// The architecture as data.
export * from './bits.ts';
export * from './gicd.ts';
export * from './gicr.ts';
export * from './gits.ts';
export * from './intid.ts';
export * from './its-command.ts';
export * from './its-error.ts';
export * from './lookup.ts';
export * from './mask.ts';
export * from './register-at.ts';
export * from './shape.ts';
export * from './sysreg.ts';
export * from './table-entry.ts';
