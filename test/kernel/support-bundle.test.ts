import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { IN_LAB, shell, TestHost } from '../support/host.ts';

const inLab = IN_LAB ? describe : describe.skip;

inLab('a support bundle of a host that forwards', () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await TestHost.open();
    const task = { id: 'web.1', host: '10.9.0.1', ports: [31_000], state: 'TASK_RUNNING' };
    const app = { id: '/web', portDefinitions: [{ labels: { VIP_0: '/web:80' } }], tasks: [task] };
    await writeFile(host.path('apps.json'), JSON.stringify([app]));
  });
  afterAll(() => host.close());

  test("has the kernel's table as ipvsadm prints it, the answers of the controller, the diff and the ledger", async () => {
    const source = ['--source', `file=${host.path('apps.json')}`];
    const controller = await host.start(...source, '--dns-listen', 'off');
    await controller.ready();
    await shell('ipvsadm -A -t 192.0.2.1:443 -s rr && ipvsadm -a -t 192.0.2.1:443 -r 192.0.2.2:443 -m -w 3');
    const out = host.path('bundle.tar.gz');
    const { status, stdout, stderr } = await host.marathonIpvs(
      'support-bundle',
      ...[...source, ...host.places(), '--out', out],
    );
    const saved = await shell('ipvsadm -Sn');
    await shell('ipvsadm -D -t 192.0.2.1:443');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const into = host.path('unpacked');
    await shell(`mkdir ${into} && tar xzf ${out} -C ${into} --strip-components=1`);
    const files = await readdir(into, { recursive: true });
    const textOf = async (name: string) => await readFile(join(into, name), 'utf8');
    // journald and nft are not in the lab.
    const failed = files.filter((name) => name.endsWith('.error'));
    expect(failed.filter((name) => !/^(?:log|nft-ruleset)\.txt\.error$/.test(name))).toEqual([]);
    expect((await textOf('ipvs.txt')).split('\n').sort()).toEqual(saved.split('\n').sort());
    expect(JSON.parse(await textOf('status.json')).vips[0]).toMatchObject({ id: expect.any(String) });
    expect(await textOf('ready.txt')).toContain('readyz check passed');
    expect(await textOf('metrics.txt')).toContain('marathon_ipvs_');
    expect(await textOf('diff.txt')).toContain('No differences: 1 VIP as desired.');
    expect(await textOf('run/ledger.json')).toContain('web');
    expect(stdout).toContain('state/names.journal');
  });
});
