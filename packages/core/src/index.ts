// The face of @gictrace/core.
export * from './backend/index.ts';
export * from './check/index.ts';
export { type Checked, checkedBy } from './checked.ts';
export * from './config.ts';
export * from './conformance/index.ts';
export * from './disasm/index.ts';
export * from './errors.ts';
export * from './fuzz/index.ts';
export * from './irqchip/index.ts';
export * from './migrate/index.ts';
export * from './model/index.ts';
export * from './mutate/index.ts';
export * from './profile/index.ts';
export * from './record/index.ts';
export * from './spec/index.ts';
export { VERSION } from './version.ts';
