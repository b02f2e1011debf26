// Whatever a trace holds, as text.
export * from './command.ts';
export * from './field.ts';
export * from './record.ts';
export * from './register.ts';
export * from './sysreg.ts';
