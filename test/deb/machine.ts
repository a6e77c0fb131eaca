/** A machine of its own for a Debian: User-Mode Linux, whose kernel has IPVS, with the Debian's systemd as its first process. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Debian } from './debian.ts';

const LIMIT_MS = 1_500_000;
const MODULES = '/usr/lib/uml/modules';
const TASK = `[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash /task.sh
StandardOutput=file:/task.log
StandardError=file:/task.log
ExecStopPost=/bin/systemctl --no-block poweroff -f
`;

/**
 * Boots the machine, lets it run that script of bash once it is up, and waits until it is off; gives what the script printed.
 * Rejects with the kernel's messages where the script never ended.
 */
export async function boot(debian: Debian, script: string): Promise<string> {
  const at = (path: string) => join(debian.root, path);
  await mkdir(at('lib/modules'), { recursive: true });
  await cp(MODULES, at('lib/modules'), { recursive: true });
  await writeFile(at('etc/systemd/system/task.service'), TASK);
  await mkdir(at('etc/systemd/system/multi-user.target.wants'), { recursive: true });
  await symlink('../task.service', at('etc/systemd/system/multi-user.target.wants/task.service'));
  await writeFile(at('task.sh'), `${script}\necho '== end'\n`);

  const kernel = [
    'linux.uml',
    'mem=1536M',
    'rootfstype=hostfs',
    `rootflags=${debian.root}`,
    'rw',
    'init=/lib/systemd/systemd',
    `uml_dir=${debian.folder}/`,
    'umid=machine',
    'panic=1',
    'con=null',
    'con0=null,fd:1',
    'ssl=null',
  ];
  // Its processes end with the first one of their namespace, and that with this process, however it ends.
  const namespace = ['unshare', '--pid', '--fork', '--kill-child=KILL', 'sh', '-c', '"$@"; exit $?', 'sh'];
  const words = ['--pdeathsig', 'KILL', ...namespace, ...kernel];
  const machine = spawn('setpriv', words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let messages = '';
  for (const stream of [machine.stdout, machine.stderr])
    stream.on('data', (data: Buffer) => {
      messages = (messages + data.toString()).slice(-8_000);
    });
  const limit = setTimeout(() => machine.kill('SIGKILL'), LIMIT_MS);
  await once(machine, 'close');
  clearTimeout(limit);
  const printed = await readFile(at('task.log'), 'utf8').catch(() => '');
  if (!printed.endsWith('== end\n')) throw new Error(`the machine ended early:\n${printed}\n${messages}`);
  return printed;
}
