// Recording what runs.
export * from './qemu.ts';
