export { type OutputFiles, replaceOutputFiles } from './files.ts';
export {
  cannotWrite,
  discardOpenOutputs,
  OutputFile,
  type OutputWatch,
  watchOutputs,
} from './output-file.ts';
export { beginCommand, type Ownership, type TargetOptions, targetOf } from './target.ts';
