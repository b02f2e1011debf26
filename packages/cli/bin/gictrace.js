#!/usr/bin/env node
// The `gictrace` command. CommonJS, and a bundle (scripts/bundle.mjs), because Node loads those fastest. An error that
// nobody waits for is reported as any other, since exit code 1 would be a verdict.
const args = process.argv.slice(2);
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  process.stdout.write(`${require('../package.json').version}\n`);
} else {
  // From Node 22.1 on the compiled code is kept for the next run; $NODE_DISABLE_COMPILE_CACHE turns that off.
  require('node:module').enableCompileCache?.();
  const { main, reportFailure } = require('../dist/bundle/main.js');
  const fail = (error) => process.exit(reportFailure(error, args.includes('--debug')));
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  main(args).then((code) => {
    process.exitCode = code;
  });
}
