import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { IN_LAB, ipvsadm, shell, TestHost } from '../support/host.ts';

const inLab = IN_LAB ? describe : describe.skip;

let host: TestHost;
if (IN_LAB) {
  beforeEach(async () => {
    host = await TestHost.open();
  });
  afterEach(() => host.close());
}

/** The arguments for one app, at an IP VIP, with one task. */
async function given(labels: Record<string, string>, { vip = '10.8.0.1:80', task = '10.9.0.1' } = {}) {
  const app = {
    id: '/web',
    portDefinitions: [{ port: 0, labels: { VIP_0: vip, ...labels } }],
    tasks: [{ id: 'web.1', host: task, ports: [31_000], state: 'TASK_RUNNING' }],
  };
  await writeFile(host.path('apps.json'), JSON.stringify([app]));
  return ['--source', `file=${host.path('apps.json')}`, ...host.places()];
}

async function run(args: readonly string[]): Promise<void> {
  expect(await host.marathonIpvs('run', '--once', ...args)).toMatchObject({ status: 0, stderr: '' });
}

/** What `ipvsadm` says of the service behind its address. */
async function settings(): Promise<string | undefined> {
  return (await ipvsadm()).find((line) => line.startsWith('-A'))?.replace(/^-A -[tu] \S+ /, '');
}

async function thresholds(): Promise<string[] | undefined> {
  return /:31000 +(\d+) +(\d+)/.exec(await shell('ipvsadm -Ln --thresholds'))?.slice(1);
}

inLab('what labels ask for, on a real kernel', () => {
  const ALL = {
    IPVS_SCHEDULER: 'mh',
    IPVS_SCHEDULER_FLAGS: 'mh-port,mh-fallback',
    IPVS_PERSISTENCE_SECONDS: '60',
    IPVS_PERSISTENCE_PREFIX: '24/64',
    IPVS_MAX_CONNECTIONS: '100',
  };
  const WANTED = '-s mh -p 60 -M 255.255.255.0 -b mh-fallback,mh-port';

  test('is what ipvsadm shows, and comes back when a hand has changed it', async () => {
    const args = await given(ALL);
    await run(args);
    expect([await settings(), await thresholds()]).toEqual([WANTED, ['100', '75']]);
    expect(await host.marathonIpvs('diff', ...args)).toMatchObject({ status: 0 });

    await shell('ipvsadm -E -t 10.8.0.1:80 -s mh -b flag-1');
    await shell('ipvsadm -e -t 10.8.0.1:80 -r 10.9.0.1:31000 -m -w 1 -x 5 -y 1');
    const told = (await host.marathonIpvs('diff', ...args)).stdout;
    for (const change of [
      'flags mh-fallback -> mh-fallback,mh-port',
      'persistenceSeconds 0 -> 60',
      'persistencePrefix 32 -> 24',
      'upperThreshold 5 -> 100',
      'lowerThreshold 1 -> 75',
    ])
      expect(told).toContain(change);
    await run(args);
    expect([await settings(), await thresholds()]).toEqual([WANTED, ['100', '75']]);
  });

  test('has its prefix for IPv6, too', async () => {
    await run(await given(ALL, { vip: 'fd00:8::1:80', task: 'fd00:9::1' }));
    expect(await settings()).toBe('-s mh -p 60 -M 64 -b mh-fallback,mh-port');
  });

  test('changes on a living service, and goes with its label', async () => {
    await run(await given(ALL));
    const most = '2147483647';
    const sh = { IPVS_SCHEDULER: 'sh', IPVS_SCHEDULER_FLAGS: 'sh-port', IPVS_MAX_CONNECTIONS: most };
    await run(await given({ ...ALL, ...sh }));
    expect(await settings()).toBe('-s sh -p 60 -M 255.255.255.0 -b sh-port');
    expect(await thresholds()).toEqual([most, '1610612736']);
    await run(await given({}));
    expect([await settings(), await thresholds()]).toEqual(['-s wlc', ['0', '0']]);
  });

  test('is the same when ipvsadm -R makes it of the lines that diff prints', async () => {
    const args = await given({ ...ALL, IPVS_MAX_CONNECTIONS: '2147483647' });
    const lines = (await host.marathonIpvs('diff', '-o', 'ipvsadm', '--against', 'none', ...args)).stdout;
    await writeFile(host.path('lines.txt'), lines);
    await shell(`ipvsadm -R < ${host.path('lines.txt')}`);
    expect([await settings(), await thresholds()]).toEqual([WANTED, ['2147483647', '1610612736']]);
    expect((await host.marathonIpvs('diff', '--adopt', ...args)).stdout).toMatch(/No differences/);
  });
});

inLab('a persistence engine that a hand has set, on a real kernel', () => {
  test.each(['10.8.0.1:80', 'fd00:8::1:80'])('is told, and taken away: %s', async (vip) => {
    const six = vip.startsWith('fd');
    const args = await given(
      { IPVS_PERSISTENCE_SECONDS: '60' },
      { vip, task: six ? 'fd00:9::1' : '10.9.0.1' },
    );
    await run(args);
    const at = six ? '[fd00:8::1]:80' : vip;
    await shell(`ipvsadm -E -t ${at} -s wlc -p 60 --pe sip`);
    expect(await settings()).toMatch(/--pe sip|pe sip/);
    expect((await host.marathonIpvs('diff', ...args)).stdout).toContain('persistenceEngine sip -> none');
    await run(args);
    expect(await settings()).toBe('-s wlc -p 60');
  });
});
