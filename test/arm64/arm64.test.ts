/**
 * The Debian package for arm64 in a Debian for arm64, whose programs qemu-user runs. That knows no generic netlink, so IPVS
 * itself is out of reach: everything else is what an arm64 machine would run.
 */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { NODE_VERSION } from '../../deploy/debian/node-program.ts';
import { Debian, emulationMissing, missing } from '../deb/debian.ts';

const [OWN, NEXT] = ['1.0.0', '2.0.0'];
const APP = {
  id: '/my-service',
  portDefinitions: [{ protocol: 'tcp', port: 5555, labels: { VIP_0: '/my-service:5555' } }],
  tasks: [
    {
      id: 't.1',
      host: '10.0.0.1',
      ports: [31000],
      state: 'TASK_RUNNING',
      startedAt: '2026-01-01T00:00:00.000Z',
    },
  ],
};

const why = (await missing()) ?? (await emulationMissing());
if (why !== null) console.warn(`tests of the Debian package for arm64 skipped: ${why}`);

(why === null ? describe : describe.skip)('the Debian package for arm64', () => {
  let debian: Debian;
  let own: string;
  let next: string;

  beforeAll(async () => {
    debian = await Debian.create('arm64');
    [own, next] = [await debian.packageOf(OWN), await debian.packageOf(NEXT)];
    await writeFile(join(debian.root, 'apps.json'), JSON.stringify(APP));
  });
  afterAll(async () => await debian.remove());

  async function install(name: string) {
    return await debian.shell(`dpkg --install ${name} 2>&1`);
  }

  test('installs, with a Node.js of that processor that its script has started', async () => {
    expect((await debian.shell('uname -m; dpkg --print-architecture')).stdout).toBe('aarch64\narm64\n');
    const { status, stdout } = await install(own);
    expect([status, stdout]).toEqual([
      0,
      expect.stringContaining(
        'no source is configured yet. Set the option source in /etc/marathon-ipvs/config.yaml',
      ),
    ]);
    const node = '/usr/lib/marathon-ipvs/current/node';
    const said = await debian.shell(
      `${node} -p 'process.arch + " " + process.version'; marathon-ipvs --version`,
    );
    expect(said.stdout).toBe(`arm64 v${NODE_VERSION}\n${OWN}\n`);
  });

  test('says what it can do, and what it would change', async () => {
    const help = await debian.shell('marathon-ipvs --help');
    expect(help).toMatchObject({ status: 0, stdout: expect.stringContaining('Usage: marathon-ipvs') });
    const diff = await debian.shell('marathon-ipvs diff --source file=/apps.json --against none -o ipvsadm');
    expect(diff).toEqual({
      status: 1,
      stdout: '-A -t 11.134.217.55:5555 -s wlc\n-a -t 11.134.217.55:5555 -r 10.0.0.1:31000 -m -w 1\n',
      stderr: '',
    });
  });

  test('its compiled part loads, and asks for the socket that only a real kernel gives', async () => {
    const { status, stderr } = await debian.shell('marathon-ipvs diff --source file=/apps.json');
    expect([status, stderr]).toEqual([2, expect.stringContaining('open a netlink socket: EPROTONOSUPPORT')]);
  });

  test('is upgraded, and purged without a rest', async () => {
    expect(await install(next)).toMatchObject({ status: 0 });
    expect((await debian.shell('marathon-ipvs --version; ls /usr/lib/marathon-ipvs')).stdout).toBe(
      `${NEXT}\n${NEXT}\ncurrent\n`,
    );
    const { status, stdout } = await debian.shell(
      'dpkg --purge marathon-ipvs >&2; ls -d /usr/lib/marathon-ipvs /etc/marathon-ipvs 2>/dev/null',
    );
    expect([status, stdout]).toEqual([2, '']);
  });
});
