/**
 * The helper that this program starts in each network namespace: a program of its own, since it loads a twentieth of the
 * other. Its one argument is what `openReachability` takes, as JSON.
 */

import { messageOf } from './errors.ts';
import { EXIT_ERROR } from './exit-status.ts';
import { helpFromHere } from './wire-netns-helper.ts';

try {
  await helpFromHere(JSON.parse(process.argv[2] ?? ''), process.stdin, process.stdout);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = EXIT_ERROR;
}
