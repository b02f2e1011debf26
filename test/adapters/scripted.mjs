// An adapter that answers by rote: scripted.mjs HEX…, one argument for each message that comes, of whatever it says.
import { Buffer } from 'node:buffer';

const replies = process.argv.slice(2);
let held = Buffer.alloc(0);
process.stdin.on('data', (chunk) => {
  held = Buffer.concat([held, chunk]);
  while (held.length >= 4 && held.length >= 4 + held.readUInt32LE(0)) {
    held = held.subarray(4 + held.readUInt32LE(0));
    const reply = replies.shift();
    if (reply !== undefined) process.stdout.write(Buffer.from(reply, 'hex'));
  }
});
