/**
 * The rpm package, by Debian's rpm in a Debian where no systemd runs. What that cannot show: dnf, the names that other
 * distributions give to what it requires, and SELinux.
 */

import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeRpm } from '../../deploy/rpm/package.ts';
import { command } from '../support/shell.ts';
import { Debian, missing } from './debian.ts';

const [OWN, NEXT] = ['1.0.0', '2.0.0'];
const CONFIG = 'etc/marathon-ipvs/config.yaml';

const why =
  (await missing()) ??
  ((await command(['rpmbuild', '--version'])).status === 0 ? null : 'they need rpmbuild (package rpm)');
if (why !== null) console.warn(`tests of the rpm package skipped: ${why}`);

(why === null ? describe : describe.skip)('the rpm package', () => {
  let debian: Debian;
  let own: string;
  let next: string;

  beforeAll(async () => {
    debian = await Debian.create();
    own = join(debian.root, await debian.packageOf(OWN, '', makeRpm));
    next = join(debian.root, await debian.packageOf(NEXT, '', makeRpm));
    await debian.write('apps.json', '[]');
  });
  afterAll(async () => await debian.remove());

  async function version(): Promise<string> {
    const { stdout, stderr } = await debian.shell('marathon-ipvs --version');
    return (stdout + stderr).trim();
  }

  async function current(): Promise<string> {
    return await readlink(join(debian.root, 'usr/lib/marathon-ipvs/current'));
  }

  async function folders(): Promise<string> {
    return (await debian.shell('ls /usr/lib/marathon-ipvs')).stdout;
  }

  test('the same program gives the same bytes', async () => {
    const sum = async () =>
      createHash('sha256')
        .update(await readFile(own))
        .digest('hex');
    const first = await sum();
    await debian.packageOf(OWN, '', makeRpm);
    expect(await sum()).toBe(first);
  });

  test('it installs, runs on a Node of its own, and says what is to be told it', async () => {
    const { status, stdout } = await debian.rpm('--upgrade', own);
    expect([status, stdout]).toEqual([
      0,
      expect.stringContaining(
        'no source is configured yet. Set the option source in /etc/marathon-ipvs/config.yaml',
      ),
    ]);
    expect([await version(), await current()]).toEqual([OWN, OWN]);
    const verified = await debian.shell('systemd-analyze verify --man=no marathon-ipvs.service 2>&1');
    expect(verified).toMatchObject({ status: 0, stdout: '' });
    expect((await debian.shell('getent passwd marathon-ipvs')).status).toBe(0);
  });

  test('an upgrade keeps the configuration and leaves nothing of the old version, and a downgrade likewise', async () => {
    await debian.write(CONFIG, 'source: file=/apps.json\n');
    expect(await debian.rpm('--upgrade', next)).toMatchObject({ status: 0 });
    expect([await version(), await folders()]).toEqual([NEXT, `${NEXT}\ncurrent\n`]);
    expect(await debian.rpm('--upgrade', '--oldpackage', own)).toMatchObject({ status: 0 });
    expect([await version(), await folders()]).toEqual([OWN, `${OWN}\ncurrent\n`]);
    expect(await readFile(join(debian.root, CONFIG), 'utf8')).toBe('source: file=/apps.json\n');
  });

  test('a new version that refuses the configuration leaves the old one in place until it is corrected', async () => {
    await debian.write(CONFIG, 'source: file=/apps.json\nresync-seconds: never\n');
    const { status, stdout } = await debian.rpm('--upgrade', next);
    // rpm knows no failure of a script that runs after the files are there, where alone the new program can be tried.
    expect(status).toBe(0);
    expect(stdout).toContain(`marathon-ipvs: version ${NEXT} rejects the configuration: --resync-seconds`);
    expect(stdout).toContain(`version ${OWN} stays in place`);
    expect(stdout).toContain('then run: dnf reinstall marathon-ipvs');
    expect([await version(), await current()]).toEqual([OWN, `kept/${OWN}`]);
    // What runs reads its files where it was started from.
    const { stdout: page } = await debian.shell(`ls /usr/lib/marathon-ipvs/${OWN}/program/page`);
    expect(page).toContain('page.js');

    await debian.write(CONFIG, 'source: file=/apps.json\n');
    // As `dnf reinstall` does.
    expect(await debian.rpm('--upgrade', '--replacepkgs', next)).toMatchObject({ status: 0 });
    expect([await version(), await folders()]).toEqual([NEXT, `${NEXT}\ncurrent\n`]);
  });

  test('and can be given up for the old one', async () => {
    await debian.write(CONFIG, 'resync-seconds: never\n');
    await debian.rpm('--upgrade', '--oldpackage', own);
    expect([await version(), await current()]).toEqual([NEXT, `kept/${NEXT}`]);
    await debian.write(CONFIG, 'source: file=/apps.json\n');
    expect(await debian.rpm('--upgrade', next)).toMatchObject({ status: 0 });
    expect([await version(), await folders()]).toEqual([NEXT, `${NEXT}\ncurrent\n`]);
  });

  test('what is removed leaves its configuration and its state; the kernel is said to forward on', async () => {
    await debian.shell(
      'install -d /run/marathon-ipvs /var/lib/marathon-ipvs && echo {} > /run/marathon-ipvs/ledger.json && echo {} > /var/lib/marathon-ipvs/names.json',
    );
    const { status, stdout } = await debian.rpm('--erase', 'marathon-ipvs');
    expect([status, stdout]).toEqual([0, expect.stringContaining('the kernel forwards on')]);
    const { stdout: left } = await debian.shell(
      'ls -d /usr/lib/marathon-ipvs /usr/bin/marathon-ipvs /etc/marathon-ipvs/* /var/lib/marathon-ipvs/* 2>/dev/null',
    );
    // rpm moves a configuration that was changed.
    expect(left.split('\n').filter(Boolean).sort()).toEqual([
      '/etc/marathon-ipvs/config.yaml.rpmsave',
      '/var/lib/marathon-ipvs/names.json',
    ]);
  });
});
