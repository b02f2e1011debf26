// Everything that a trace contains, as text.
export { commandText } from './command.ts';
export { fieldsText } from './field.ts';
export { recordText, valueText } from './record.ts';
export { registerLabel } from './register.ts';
export { sysregLabel } from './sysreg.ts';
