import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { IpvsClient, netlinkTransport } from 'ipvs-netlink-ts';
import { backend, failure, ipvsadm, onKernel } from './ipvs-kernel.ts';

onKernel.each([
  ['read at once', true],
  ['read by the package', false],
])('the rest of the real kernel, replies %s', (_, immediate) => {
  let client: IpvsClient;

  beforeAll(async () => {
    client = await IpvsClient.open({ transport: netlinkTransport({ immediate }) });
  });
  beforeEach(() => client.flush());
  afterAll(() => client.close());

  test('timeouts are set one by one', async () => {
    const before = await client.getTimeouts();
    await client.setTimeouts({ tcpSeconds: 901, tcpFinSeconds: 121, udpSeconds: 301 });
    await client.setTimeouts({ udpSeconds: 302 });
    expect(await client.getTimeouts()).toEqual({ tcpSeconds: 901, tcpFinSeconds: 121, udpSeconds: 302 });
    expect(ipvsadm('-Ln', '--timeout')).toContain('901 121 302');
    await client.setTimeouts(before);
  });

  test('the version is that of ipvsadm', async () => {
    const { version, connectionTableSize } = await client.getInfo();
    expect(ipvsadm('-Ln').split('\n')[0]).toContain(`version ${version} (size=${connectionTableSize})`);
  });

  test('traffic is counted, as ipvsadm counts it', async () => {
    execFileSync('ip', ['addr', 'add', '10.96.4.7/32', 'dev', 'lo']);
    const socket = createSocket('udp4');
    try {
      const dns = { protocol: 'udp', address: '10.96.4.7', port: 5353, scheduler: 'rr' } as const;
      // A destination that is added again gets back the connections that it had: not the same one twice.
      const port = immediate ? 9998 : 9999;
      await client.addService(dns);
      await client.addDestination(dns, { ...backend, address: '127.0.0.1', port });
      for (let packet = 0; packet < 3; packet++) {
        await new Promise((sent) => socket.send('seven b', 5353, '10.96.4.7', sent));
      }
      // The kernel sums the counters of all processors up every two seconds.
      let [entry] = await client.listTable();
      for (let wait = 0; wait < 50 && entry?.service.stats.inPackets !== 3n; wait++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        [entry] = await client.listTable();
      }
      // 20 bytes of IPv4 header, 8 of UDP and the text.
      const stats = { connections: 1n, inPackets: 3n, inBytes: 105n };
      expect(entry?.service.stats).toMatchObject(stats);
      expect(entry?.destinations).toMatchObject([{ inactiveConnections: 1, activeConnections: 0, stats }]);
      expect(ipvsadm('-Ln', '--stats', '--exact')).toMatch(/127\.0\.0\.1:999\d +1 +3 +\d+ +105/);
      await client.zero(dns);
      expect((await client.getService(dns)).stats).toMatchObject({
        connections: 0n,
        inPackets: 0n,
        inBytes: 0n,
      });
    } finally {
      socket.close();
      execFileSync('ip', ['addr', 'del', '10.96.4.7/32', 'dev', 'lo']);
    }
  });

  test('a sync daemon of each role runs, and stops', async () => {
    execFileSync('sh', [
      '-c',
      'ip link add sync0 type dummy; ip addr add 10.99.0.1/24 dev sync0; ip link set sync0 up multicast on',
    ]);
    try {
      await client.startSyncDaemon({ role: 'master', interface: 'sync0', syncId: 7 });
      await client.startSyncDaemon({
        role: 'backup',
        interface: 'sync0',
        syncId: 8,
        group: '224.0.0.82',
        port: 9000,
        ttl: 4,
        maxLength: 1400,
      });
      expect(await client.listSyncDaemons()).toEqual([
        {
          role: 'master',
          interface: 'sync0',
          syncId: 7,
          maxLength: 1472,
          group: '224.0.0.81',
          port: 8848,
          ttl: 1,
        },
        {
          role: 'backup',
          interface: 'sync0',
          syncId: 8,
          maxLength: 1400,
          group: '224.0.0.82',
          port: 9000,
          ttl: 4,
        },
      ]);
      expect(ipvsadm('-Ln', '--daemon')).toContain('master sync daemon (mcast=sync0, syncid=7');
      expect(await failure(client.startSyncDaemon({ role: 'master', interface: 'sync0', syncId: 7 }))).toBe(
        'exists | start sync daemon master on sync0: it is already running (EEXIST)',
      );
      await client.stopSyncDaemon('master');
      await client.stopSyncDaemon('backup');
      expect(await client.listSyncDaemons()).toEqual([]);
      expect(await failure(client.stopSyncDaemon('backup'))).toBe(
        'not-found | stop sync daemon backup: it is not running (ESRCH)',
      );
      expect(
        await failure(client.startSyncDaemon({ role: 'master', interface: 'nonesuch', syncId: 7 })),
      ).toBe('not-found | start sync daemon master on nonesuch: no such interface (ENODEV)');
    } finally {
      // A daemon that stays makes the kernel refuse destinations of another family than their service.
      for (const role of ['master', 'backup'] as const)
        await client.stopSyncDaemon(role).catch(() => undefined);
      execFileSync('ip', ['link', 'del', 'sync0']);
    }
  });
});
