#!/usr/bin/env node
// The `gictrace` command. It only hands over to the compiled command line.
import { main } from '../dist/index.js';

process.exitCode = await main(process.argv.slice(2));
