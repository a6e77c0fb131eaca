/**
 * The program that `why` and `doctor` start in another network namespace to read facts there. Its argument is the inode of that
 * namespace. It reads one `Question` from standard input and writes the answer to standard output.
 */

import { buffer } from 'node:stream/consumers';
import { deserialize, serialize } from 'node:v8';
import { EXIT_ERROR } from './cli/exit-status.ts';
import { messageOf } from './errors.ts';
import { checkOwnNamespace } from './netns/own.ts';
import { answerHere } from './wire/netns-facts.ts';

try {
  checkOwnNamespace(process.argv[2]);
  process.stdout.write(serialize(await answerHere(deserialize(await buffer(process.stdin)))));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = EXIT_ERROR;
}
