/** What ipvsadm sends to a real kernel and gets back, recorded by strace and decoded. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { type DecodedMessage, decode, formatDecoded } from 'ipvs-netlink-ts/decode';
import { ipvsadm, onKernel } from './ipvs-kernel.ts';

onKernel.each([
  ['-s 65535', ['-s', '65535']],
  ['-xx -s 65535', ['-xx', '-s', '65535']],
  ['-e write=all -e read=all', ['-e', 'write=all', '-e', 'read=all']],
])('what strace %s records of ipvsadm', (_, options) => {
  const folder = mkdtempSync(join(tmpdir(), 'ipvs-decode-'));

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
    ipvsadm('-C');
  });

  /** The messages between ipvsadm and the kernel, without those of the look-up of the family. */
  function trace(line: string): { readonly text: string; readonly messages: readonly DecodedMessage[] } {
    const path = join(folder, 'trace');
    const args = ['-e', 'trace=network', ...options, '-o', path, 'ipvsadm', ...line.split(' ')];
    spawnSync('strace', args, { encoding: 'utf8' });
    const decoded = decode(readFileSync(path));
    expect(decoded.notes).toEqual([]);
    expect(decoded.messages.flatMap(({ notes }) => notes)).toEqual([]);
    // Nothing that this kernel sends is unknown.
    expect(JSON.stringify(decoded)).not.toContain('"note"');
    const messages = decoded.messages.filter(
      ({ family, command }) => family === 'IPVS' && command !== 'get-info',
    );
    return { text: formatDecoded({ messages, notes: [] }), messages };
  }

  test('is decoded to the words of its command line', () => {
    ipvsadm('-C');
    const added = trace('-A -t 10.96.4.8:443 -s sh -p 300 -M 255.255.255.0 -b sh-fallback,sh-port').text;
    expect(added).toMatch(/> IPVS new-service {2}\d+ bytes, flags request\|ack,/);
    expect(added).toContain(
      [
        '    service',
        '      af: AF_INET',
        '      protocol: IPPROTO_TCP',
        '      addr: 10.96.4.8',
        '      port: 443',
        '      sched-name: sh',
        '      flags: persistent|sched1|sched2 (mask 0xffffffff)',
        '      timeout: 300 s',
        '      netmask: 255.255.255.0 (/24)',
      ].join('\n'),
    );
    const destination = trace('-a -t 10.96.4.8:443 -r 10.1.2.3:31244 -m -w 3 -x 100 -y 50').text;
    expect(destination).toMatch(/> IPVS new-dest /);
    for (const words of [
      'addr: 10.1.2.3',
      'port: 31244',
      'fwd-method: masq',
      'weight: 3',
      'u-thresh: 100',
      'l-thresh: 50',
    ])
      expect(destination).toContain(`\n      ${words}\n`);
    expect(trace('-A -f 5 -6 -s mh -p 60 -M 64').text).toMatch(
      /\n {6}af: AF_INET6\n {6}fwmark: 5\n {6}sched-name: mh\n[\s\S]*\n {6}netmask: \/64\n/,
    );
  });

  test('shows the table that it reads back', () => {
    const { text, messages } = trace('-Sn');
    const commands = messages.map(({ command, direction }) => `${direction} ${command}`);
    expect(new Set(commands)).toEqual(
      new Set([
        'from-kernel set-info',
        'to-kernel get-service',
        'from-kernel new-service',
        'to-kernel get-dest',
        'from-kernel new-dest',
      ]),
    );
    expect(text).toContain('flags: persistent|hashed|sched1|sched2 (mask 0xffffffff)');
    expect(text).toContain('\n      stats64\n        conns: 0\n');
  });

  test('shows what the kernel refuses', () => {
    const path = join(folder, 'refused');
    spawnSync('strace', [
      '-e',
      'trace=network',
      ...options,
      '-o',
      path,
      'ipvsadm',
      '-D',
      '-t',
      '10.96.4.99:1',
    ]);
    const errors = decode(readFileSync(path)).messages.filter(({ errno = 0 }) => errno !== 0);
    expect(errors).toMatchObject([{ error: 'ESRCH', request: { family: 'IPVS', command: 'del-service' } }]);
  });

  test('is decoded by the command of the package', () => {
    const path = join(folder, 'trace');
    spawnSync('strace', ['-e', 'trace=network', ...options, '-o', path, 'ipvsadm', '-Ln']);
    const text = execFileSync(process.execPath, ['ipvs/bin/ipvs-netlink-ts.js', 'decode', path], {
      encoding: 'utf8',
    });
    expect(text).toMatch(/< IPVS new-service /);
  });
});
