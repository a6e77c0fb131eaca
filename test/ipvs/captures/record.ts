/**
 * Records what ipvsadm sends to the kernel and what comes back, as the captures in this folder.
 *
 *   node --conditions=source test/ipvs/captures/record.ts FOLDER
 *
 * Runs inside the lab (root, a kernel with IPVS, ipvsadm, strace). Writes one file for each command: lines that begin
 * with `#` say where it comes from, `>` is a message sent, `<` one received, both without the 16 bytes of netlink header,
 * whose sequence number and port differ each time, but with the message type before a colon where it is not the family's.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hex } from '../../support/hex.ts';

const commands: readonly (readonly [string, string])[] = [
  ['add-service-tcp', '-A -t 10.96.4.7:80 -s wlc'],
  ['add-service-udp-ipv6-one-packet', '-A -u [fd00::7]:53 -s rr -o'],
  ['add-service-persistent', '-A -t 10.96.4.8:443 -s sh -p 300 -M 255.255.255.0 -b sh-fallback,sh-port'],
  ['add-service-fwmark-ipv6', '-A -f 5 -6 -s mh -p 60 -M 64'],
  ['add-service-sctp', '-A --sctp-service 10.96.4.9:99 -s wrr'],
  ['add-service-persistence-engine', '-A -u 10.96.4.10:5060 -s rr -p 30 --pe sip'],
  ['update-service', '-E -t 10.96.4.7:80 -s rr'],
  ['add-destination-masquerade', '-a -t 10.96.4.7:80 -r 10.1.2.3:31244 -m -w 3'],
  ['add-destination-thresholds', '-a -t 10.96.4.7:80 -r 10.1.2.4:80 -g -w 1 -x 100 -y 50'],
  [
    'add-destination-gue',
    '-a -t 10.96.4.7:80 -r 10.1.2.5:80 -i -w 1 --tun-type gue --tun-port 6080 --tun-remcsum',
  ],
  ['add-destination-gre', '-a -t 10.96.4.7:80 -r 10.1.2.6:80 -i -w 1 --tun-type gre --tun-csum'],
  ['add-destination-other-family', '-a -t 10.96.4.7:80 -r [fd00::9]:80 -i -w 1'],
  ['add-destination-ipv6', '-a -u [fd00::7]:53 -r [fd00::8]:5353 -m -w 1'],
  ['update-destination', '-e -t 10.96.4.7:80 -r 10.1.2.3:31244 -m -w 0'],
  ['list', '-Sn'],
  ['remove-destination', '-d -t 10.96.4.7:80 -r 10.1.2.4:80'],
  ['zero', '-Z -t 10.96.4.7:80'],
  ['set-timeouts', '--set 901 121 301'],
  ['get-timeouts', '-Ln --timeout'],
  ['remove-service', '-D -t 10.96.4.7:80'],
  ['flush', '-C'],
];

/** Types below this are netlink's own and generic netlink's controller. */
const FIRST_FAMILY = 0x11;

function read(path: string): string {
  const lines: string[] = [];
  // With -e write=all and read=all strace dumps every buffer after its call; peeks are not reads.
  for (const call of readFileSync(path, 'latin1').split(/^(?=sendmsg|recvmsg)/m)) {
    if (!/^(sendmsg|recvmsg)/.test(call) || /MSG_PEEK/.test(call.split('\n')[0] ?? '')) continue;
    const dump = [...call.matchAll(/^ \| [0-9a-f]+ {2}((?:[0-9a-f]{2} ?| )+) {2}/gm)]
      .map(([, part]) => part)
      .join('');
    const bytes = Buffer.from(dump.replaceAll(/\s/g, ''), 'hex');
    for (let at = 0; at + 16 <= bytes.length; ) {
      const length = bytes.readUInt32LE(at);
      const type = bytes.readUInt16LE(at + 4);
      const mark = call.startsWith('sendmsg') ? '>' : '<';
      const payload = hex(bytes.subarray(at + 16, at + length));
      lines.push(`${mark} ${type < FIRST_FAMILY ? `${type}: ` : ''}${payload}`);
      at += (length + 3) & ~3;
    }
  }
  return lines.filter((line) => !line.includes('16: ')).join('\n');
}

const [folder = 'captures'] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const kernel = execFileSync('uname', ['-r'], { encoding: 'utf8' }).trim();
const version = execFileSync('ipvsadm', ['--version'], { encoding: 'utf8' }).split(' ').slice(0, 2).join(' ');
for (const [name, command] of commands) {
  const trace = ['-e', 'trace=sendmsg,recvmsg', '-e', 'write=all', '-e', 'read=all', '-o', '/tmp/trace'];
  const { status, stderr, stdout } = spawnSync('strace', [...trace, 'ipvsadm', ...command.split(' ')], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`ipvsadm ${command}: ${stderr}`);
  const output = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => `#   ${line}\n`)
    .join('');
  writeFileSync(
    join(folder, `${name}.txt`),
    `# ${version}, Linux ${kernel}, little-endian\n# ipvsadm ${command}\n${output}${read('/tmp/trace')}\n`,
  );
}
