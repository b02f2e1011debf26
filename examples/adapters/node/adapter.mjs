// An adapter in JavaScript: gictrace's own simulator, served over the adapter protocol (docs/adapter.md). Put your own
// model behind the same `Backend` interface and hand it to `serveAdapter`.
//
//   npx gictrace replay boot.gictrace --on 'exec:node examples/adapters/node/adapter.mjs'
//
// A package of its own would import '@gictrace/core/backend' and '@gictrace/replayer'; inside the repository it takes the build.
import { NOT_A_REGISTER, Simulator } from '../../../packages/core/dist/backend/index.js';
import { serveAdapter } from '../../../packages/replayer/dist/index.js';

const simulator = new Simulator('1');
process.exitCode = await serveAdapter(simulator, process.stdin, process.stdout, {
  capabilities: simulator.capabilities,
  reasons: [NOT_A_REGISTER],
});
