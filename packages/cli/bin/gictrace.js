#!/usr/bin/env node
// The `gictrace` command. It only hands over to the compiled command line; an error that nobody waits for is reported
// as any other, since exit code 1 would be a verdict.
import { main, reportFailure } from '../dist/index.js';

const fail = (error) => process.exit(reportFailure(error, process.argv.includes('--debug')));
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);
process.exitCode = await main(process.argv.slice(2));
