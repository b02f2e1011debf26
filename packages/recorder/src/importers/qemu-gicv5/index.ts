// Logs of a QEMU with a GICv5.
export {
  type Gicv5Facts,
  type Gicv5Options,
  type Gicv5Sink,
  type Gicv5Stats,
  importGicv5,
} from './import.ts';
export { isGicv5Line } from './lines.ts';
