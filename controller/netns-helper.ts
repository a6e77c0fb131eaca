/**
 * The helper that this program starts in each network namespace: a program of its own, since it loads a twentieth of the
 * other. Its arguments: its options (`HelperOptions`), as JSON, the inode of the namespace that it is meant for, and the version of the
 * program that starts it.
 */

import { messageOf } from './errors.ts';
import { EXIT_ERROR } from './exit-status.ts';
import { checkOwnNamespace, checkVersion } from './netns/own.ts';
import { helpFromHere } from './wire-netns-helper.ts';

// A terminal and systemd send these to the helpers too, whose end is the controller's to say: it closes standard input.
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
