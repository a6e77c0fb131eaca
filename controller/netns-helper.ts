/**
 * The helper that the controller starts in each network namespace. It is a separate program, since it needs only a twentieth of
 * the code. Its arguments: its options (`HelperOptions`) as JSON, the inode of the namespace, and the controller's version.
 */

import { EXIT_ERROR } from './cli/exit-status.ts';
import { messageOf } from './errors.ts';
import { checkOwnNamespace, checkVersion } from './netns/own.ts';
import { helpFromHere } from './wire/netns-helper.ts';

// A terminal and systemd send these to the helpers, too, but the controller ends them by closing standard input.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const [options = '', inode, asking] = process.argv.slice(2);
try {
  checkVersion(asking);
  checkOwnNamespace(inode);
  await helpFromHere(JSON.parse(options), process.stdin, process.stdout);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = EXIT_ERROR;
}
