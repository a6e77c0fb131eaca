/** `npm start -- --keep`: leaves all of it running, with a shell beside it where there is a terminal. */

import { spawn } from 'node:child_process';
import { LOG } from './controller.ts';
import { CONTAINER } from './network.ts';
import { bold, heading, print } from './show.ts';

/** Resolves when the user has had enough. */
export async function stay(source: string, url: string): Promise<void> {
  heading('It stays. To try in here');
  print(`  curl ${url}
  ip netns exec ${CONTAINER} curl ${url}
  marathon-ipvs diff --source ${source}
  ipvsadm -Ln --stats                                  what the kernel has
  ipvsadm -E -t ${new URL(url).host} -s rr             change it; it is put back within 30 s
  curl -X PUT ${source.replace('marathon=', '')}/v2/apps/my-service -d '{"instances": 2}'
  curl http://127.0.0.1:61421/healthz?verbose          also /metrics, /v1/vips, /v1/diff
  tail -f ${LOG}`);

  if (!process.stdin.isTTY) {
    print(bold('\n  Ctrl-C ends it.'));
    await new Promise<void>((resolve) => {
      process.once('SIGINT', () => resolve());
      process.once('SIGTERM', () => resolve());
      // A promise alone keeps no process alive; the servers of Marathon do.
    });
    return;
  }
  print(bold('\n  This is a shell in the lab; exit or Ctrl-D ends it all.'));
  const shell = spawn('bash', ['--norc', '-i'], {
    stdio: 'inherit',
    env: { ...process.env, PS1: 'lab# ', HISTFILE: '' },
  });
  process.on('SIGINT', () => {}); // Ctrl-C is for what runs in the shell.
  await new Promise((resolve) => shell.once('exit', resolve));
}
