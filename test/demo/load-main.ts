/** `load-main.ts URL`: load from the namespace that this process runs in, told as JSON lines, until stdin ends. */

import { generateLoad, type Tally } from './load.ts';

const [url = ''] = process.argv.slice(2);
const stop = new AbortController();
process.stdin.on('end', () => stop.abort()).resume();

let last: Tally | undefined;
const report = () => process.stdout.write(`${JSON.stringify(last)}\n`);
const timer = setInterval(() => {
  if (last) report();
}, 200);
await generateLoad(url, stop.signal, (tally) => {
  last = tally;
});
clearInterval(timer);
report();
