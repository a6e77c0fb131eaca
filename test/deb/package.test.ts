/** The Debian package in a Debian where no systemd runs, as in an image that is being made. */

import { createHash } from 'node:crypto';
import { readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { NODE_VERSION } from '../../deploy/debian/node-program.ts';
import { Debian, missing } from './debian.ts';

const OWN: string = JSON.parse(
  await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
).version;
const NEXT = '99.0.0';
const APPS = {
  apps: [
    {
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
    },
  ],
};

const why = await missing();
if (why !== null) console.warn(`tests of the Debian package skipped: ${why}`);

(why === null ? describe : describe.skip)('the Debian package', () => {
  let debian: Debian;
  let own: string;
  let next: string;
  let before: string;

  beforeAll(async () => {
    debian = await Debian.create();
    [own, next] = [await debian.packageOf(OWN), await debian.packageOf(NEXT)];
    await writeFile(join(debian.root, 'apps.json'), JSON.stringify(APPS));
    before = await files();
  });
  afterAll(async () => await debian.remove());

  /** Every file of the system, without what dpkg, adduser and systemd keep for themselves, logs and copies of the list of users. */
  async function files(): Promise<string> {
    const left =
      '/proc /run/adduser /run/systemd /var/lib/dpkg /var/cache /var/log /var/lib/apt /etc/passwd- /etc/group- /etc/shadow- /etc/gshadow-';
    const without = left.split(' ').map((path) => `-path ${path} -prune -o`);
    return (await debian.shell(`find / -xdev ${without.join(' ')} -print | sort`)).stdout;
  }

  async function install(name: string) {
    return await debian.shell(`dpkg --install ${name} 2>&1`);
  }

  async function version(): Promise<string> {
    const { stdout, stderr } = await debian.shell('marathon-ipvs --version');
    return (stdout + stderr).trim();
  }

  async function current(): Promise<string> {
    return await readlink(join(debian.root, 'usr/lib/marathon-ipvs/current'));
  }

  async function configure(text: string): Promise<void> {
    await writeFile(join(debian.root, 'etc/marathon-ipvs/config.yaml'), text);
  }

  test('the same program gives the same bytes', async () => {
    const sum = async () =>
      createHash('sha256')
        .update(await readFile(join(debian.folder, own)))
        .digest('hex');
    const first = await sum();
    await debian.packageOf(OWN);
    expect(await sum()).toBe(first);
  });

  test('it installs with one command, runs on a Node of its own, and says what is to be told it', async () => {
    const { status, stdout } = await install(own);
    expect([status, stdout]).toEqual([
      0,
      expect.stringContaining(
        'no source is configured yet. Set the option source in /etc/marathon-ipvs/config.yaml',
      ),
    ]);
    expect(await version()).toBe(OWN);
    const node = await debian.shell('command -v node; /usr/lib/marathon-ipvs/current/node --version');
    expect(node.stdout).toBe(`v${NODE_VERSION}\n`);
    const enabled = await debian.shell(
      'systemctl is-enabled marathon-ipvs; systemd-analyze verify --man=no marathon-ipvs.service 2>&1',
    );
    expect(enabled.stdout).toBe('enabled\n');
    expect(
      (await debian.shell('dpkg --verify marathon-ipvs; ls -l /usr/lib/marathon-ipvs')).stdout,
    ).not.toContain('missing');
  });

  test('its program, page, man page and completions are there', async () => {
    const diff = await debian.shell('marathon-ipvs diff --source file=/apps.json --against none');
    expect(diff).toMatchObject({ status: 1, stderr: '' });
    expect(diff.stdout).toContain('11.134.217.55:5555');
    const doctor = await debian.shell('marathon-ipvs doctor -o json');
    expect(JSON.parse(doctor.stdout).findings.length).toBeGreaterThan(10);
    const { stdout } = await debian.shell(
      'bash -n /usr/share/bash-completion/completions/marathon-ipvs && gzip -t /usr/share/man/man8/marathon-ipvs.8.gz && echo good',
    );
    expect(stdout).toBe('good\n');
  });

  test('a service without a source ends with a status that systemd does not try again', async () => {
    const start =
      'setpriv --reuid marathon-ipvs --regid marathon-ipvs --clear-groups env NOTIFY_SOCKET=/run/systemd/notify';
    const unit = await readFile(join(debian.root, 'usr/lib/systemd/system/marathon-ipvs.service'), 'utf8');
    const [, words = ''] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
    const { status, stderr } = await debian.shell(`${start} ${words}`);
    expect([status, stderr]).toEqual([6, expect.stringContaining('--source is missing')]);
    expect(unit).toMatch(/^RestartPreventExitStatus=NOTCONFIGURED$/m);
    expect(unit).not.toContain('/opt/');
  });

  test('an upgrade switches to the new version and leaves nothing of the old one', async () => {
    await configure('source: file=/apps.json\n');
    expect(await install(next)).toMatchObject({ status: 0 });
    expect(await version()).toBe(NEXT);
    expect((await debian.shell('ls /usr/lib/marathon-ipvs')).stdout).toBe(`${NEXT}\ncurrent\n`);
    expect(await readFile(join(debian.root, 'etc/marathon-ipvs/config.yaml'), 'utf8')).toBe(
      'source: file=/apps.json\n',
    );
  });

  test('a downgrade does so too', async () => {
    expect(await install(own)).toMatchObject({ status: 0 });
    expect([await version(), await current()]).toEqual([OWN, OWN]);
  });

  describe('a new version that refuses the configuration', () => {
    beforeAll(async () => {
      await configure('source: file=/apps.json\nresync-seconds: never\n');
    });

    test('leaves the old one in place, and says what to do', async () => {
      const { status, stdout } = await install(next);
      expect(status).toBe(1);
      expect(stdout).toContain(
        `marathon-ipvs: version ${NEXT} rejects the configuration: --resync-seconds from`,
      );
      expect(stdout).toContain(`version ${OWN} stays in place`);
      expect(stdout).toContain('then run: dpkg --configure marathon-ipvs');
      expect([await version(), await current()]).toEqual([OWN, `kept/${OWN}`]);
      // What runs reads its files where it was started from.
      const { stdout: page } = await debian.shell(`ls /usr/lib/marathon-ipvs/${OWN}/program/page`);
      expect(page).toContain('page.js');
    });

    test('does so again when it is tried again, and takes over once the configuration is right', async () => {
      expect(await install(next)).toMatchObject({ status: 1 });
      expect(await version()).toBe(OWN);
      await configure('source: file=/apps.json\n');
      expect(await debian.shell('dpkg --configure marathon-ipvs')).toMatchObject({ status: 0 });
      expect(await version()).toBe(NEXT);
      expect((await debian.shell('ls /usr/lib/marathon-ipvs')).stdout).toBe(`${NEXT}\ncurrent\n`);
    });

    test('can be given up for the old one', async () => {
      expect(await install(own)).toMatchObject({ status: 0 });
      await configure('resync-seconds: never\n');
      expect(await install(next)).toMatchObject({ status: 1 });
      await configure('source: file=/apps.json\n');
      expect(await install(own)).toMatchObject({ status: 0 });
      expect([await version(), await current()]).toEqual([OWN, OWN]);
      expect(
        (await debian.shell(`test ! -L /usr/lib/marathon-ipvs/${OWN} && dpkg --verify marathon-ipvs`)).stdout,
      ).not.toContain('missing');
    });
  });

  test('a new version that does not start on this host leaves the old one in place', async () => {
    // Its Node cannot run: the library that it needs is one of another system.
    const hook = 'cp /usr/bin/false /usr/lib/marathon-ipvs/99.0.0/node';
    const { status, stdout } = await debian.shell(
      `dpkg --unpack ${next} && ${hook} && dpkg --configure marathon-ipvs 2>&1`,
    );
    expect(status).toBe(1);
    expect(stdout).toContain(`version ${NEXT} does not start on this host`);
    expect(await version()).toBe(OWN);
    expect(await install(own)).toMatchObject({ status: 0 });
  });

  test('the same version again is an upgrade like any other', async () => {
    expect(await install(own)).toMatchObject({ status: 0 });
    expect([await version(), await current()]).toEqual([OWN, OWN]);
  });

  test('what is removed leaves its configuration and its state; the kernel is said to forward on', async () => {
    await debian.shell(
      'install -d /run/marathon-ipvs /var/lib/marathon-ipvs && echo {} > /run/marathon-ipvs/ledger.json && echo {} > /var/lib/marathon-ipvs/names.json',
    );
    const { status, stdout } = await debian.shell('dpkg --remove marathon-ipvs 2>&1');
    expect([status, stdout]).toEqual([0, expect.stringContaining('the kernel forwards on')]);
    const { stdout: left } = await debian.shell(
      'ls -d /usr/lib/marathon-ipvs /usr/bin/marathon-ipvs /etc/marathon-ipvs/* /var/lib/marathon-ipvs/* 2>/dev/null',
    );
    expect(left.split('\n').filter(Boolean).sort()).toEqual([
      '/etc/marathon-ipvs/config.yaml',
      '/var/lib/marathon-ipvs/names.json',
    ]);
  });

  test('what is purged leaves no file and no user', async () => {
    expect(await debian.shell('dpkg --purge marathon-ipvs')).toMatchObject({ status: 0 });
    const old = new Set(before.split('\n'));
    expect((await files()).split('\n').filter((path) => !old.has(path))).toEqual([]);
    expect((await debian.shell('getent passwd marathon-ipvs')).stdout).toBe('');
  });

  test('a first installation that finds its configuration there is ready for the next start', async () => {
    await debian.shell(
      'mkdir -p /etc/marathon-ipvs && echo "source: file=/apps.json" > /etc/marathon-ipvs/config.yaml',
    );
    const { status, stdout } = await debian.shell(`dpkg --force-confold --install ${own} 2>&1`);
    expect([status, stdout]).toEqual([0, expect.not.stringContaining('no source is configured')]);
    expect((await debian.shell('systemctl is-enabled marathon-ipvs')).stdout).toBe('enabled\n');
  });
});
