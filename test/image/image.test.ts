import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildInto } from '../../deploy/build/build.ts';
import { addImage } from '../../deploy/release/image.ts';
import { makeCertificate } from '../support/certificate.ts';
import { eventually, shell } from '../support/host.ts';
import { startMarathon } from '../support/marathon/start-marathon.ts';
import { GRANTED, Image, imageMissing, myService, patiently, RESTRICTED, type Rights } from './image.ts';

const ROOT = join(import.meta.dirname, '..', '..');
// Debian is unpacked, packages are installed, and the lab copies all of it once more.
const why = await imageMissing();
const withBuildah = why === null ? describe : describe.skip;
if (why !== null) console.warn(`image tests skipped: ${why}`);

/** Of a cluster where nobody answers. */
const KUBECONFIG = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:9', 'insecure-skip-tls-verify': true } }],
  users: [{ name: 'u', user: { token: 't' } }],
  contexts: [{ name: 'c', context: { cluster: 'c', user: 'u', namespace: 'default' } }],
  'current-context': 'c',
});

withBuildah('the image that the Dockerfile makes', () => {
  let image: Image;
  let folder: string;
  let root: string;

  beforeAll(async () => {
    image = await Image.build();
    ({ folder, root } = image);
    await buildInto(join(folder, 'built'));
  });
  afterAll(async () => await image.remove());

  test('has what `npm run build` makes, byte for byte, a Node.js and nothing else of ours', async () => {
    const built = join(folder, 'built');
    const program = join(root, 'usr/lib/marathon-ipvs');
    const inBuild = await readdir(built, { recursive: true, withFileTypes: true });
    const names = await readdir(program, { recursive: true });
    const expected = await readdir(built, { recursive: true });
    expect(names.sort()).toEqual([...expected, 'node', 'raise-capabilities'].sort());
    for (const { name, parentPath } of inBuild.filter((entry) => entry.isFile())) {
      const from = join(parentPath, name);
      const [one, other] = await Promise.all([from, from.replace(built, program)].map((at) => readFile(at)));
      expect([name, one?.equals(other ?? Buffer.of())]).toEqual([name, true]);
    }
    expect((await shell(`find ${root} -xdev -name node_modules -o -xdev -name '*.ts'`)).trim()).toBe('');

    const kilobytes = async (path: string) => Number((await shell(`du -sk ${path}`)).split('\t')[0]);
    const [all = 0, ours = 0, node = 0] = await Promise.all(
      [root, program, join(program, 'node')].map(kilobytes),
    );
    console.info(`image: ${all} kB, of which node ${node} kB and the program ${ours - node} kB`);
    expect(ours - node).toBeLessThan(10_000);
  });

  test('is taken into a release, with the list of what is in it', async () => {
    const [build, out] = [join(folder, 'built'), join(folder, 'release')];
    await mkdir(out);
    const { others } = await addImage(join(folder, 'image.tar'), { build, out, version: '0.0.0' });
    const installed = await shell(`dpkg-query --root ${root} -W -f '\${Package} \${Version}\\n'`);
    const [node, ...packages] = others.map(({ name, version }) => `${name} ${version}`);
    expect(packages.sort()).toEqual(installed.trim().split('\n').sort());
    const version = await shell(`${join(root, 'usr/lib/marathon-ipvs/node')} --version`);
    expect(node).toBe(`nodejs ${version.trim().slice(1)}`);
  });

  test('runs as nobody, who may change networks and listen at port 53, and nothing else', async () => {
    expect(image.config.User).toBe('65532:65532');
    expect(image.config.Cmd).toEqual(['run']);
    expect(await shell(`getcap -r ${root} 2>/dev/null`)).toBe(
      `${root}/usr/lib/marathon-ipvs/raise-capabilities cap_net_bind_service,cap_net_admin=p\n`,
    );
    expect(await image.marathonIpvs(GRANTED, '--version')).toEqual({
      status: 0,
      stdout: `${JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')).version}\n`,
      stderr: '',
    });
  });

  describe('in a restricted namespace, without any capability or a way to one', () => {
    test('it says its help', async () => {
      for (const help of [['--help'], ['run', '--help'], ['relay', '--help'], ['app', '--help']]) {
        const { status, stdout, stderr } = await image.marathonIpvs(RESTRICTED, ...help);
        expect([help, status, stderr]).toEqual([help, 0, '']);
        expect(stdout).toContain('Usage: marathon-ipvs');
      }
    });

    test('it lists the apps of a Marathon', async () => {
      const marathon = await startMarathon({ processes: false });
      try {
        await marathon.addApp({ id: '/my-service', cmd: 'x', instances: 1 });
        const { status, stdout, stderr } = await image.marathonIpvs(
          RESTRICTED,
          ...['app', 'list', '--marathon', marathon.url],
        );
        expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
        expect(stdout).toMatch(/^\/my-service +1/m);
      } finally {
        await marathon.close();
      }
    });

    test('its relay starts, and reads the kubeconfig that it is given', async () => {
      await writeFile(join(root, 'tmp', 'kubeconfig'), KUBECONFIG);
      await writeFile(join(root, 'tmp', 'apps.json'), JSON.stringify({ apps: [myService('10.0.0.1')] }));
      const relay = ['relay', '--source', 'file=/tmp/apps.json', '--listen', '127.0.0.1:0'];
      const rights = { ...RESTRICTED, more: ['KUBECONFIG=/tmp/kubeconfig'] };
      const [program = '', ...rest] = image.asDeclared(root, rights, ...image.config.Entrypoint, ...relay);
      const child = spawn(program, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
      const ended = once(child, 'exit');
      let log = '';
      child.stderr.on('data', (text) => {
        log += text;
      });
      try {
        await eventually(() => /127\.0\.0\.1:9.*ECONNREFUSED/.test(log));
      } finally {
        child.kill('SIGTERM');
        await ended;
      }
    });
  });

  test('gives the diff of a recorded answer of Marathon', async () => {
    await writeFile(join(root, 'tmp', 'apps.json'), JSON.stringify({ apps: [myService('10.0.0.1')] }));
    const words = ['diff', '--source', 'file=/tmp/apps.json', '--against', 'none'];
    const { status, stdout, stderr } = await image.marathonIpvs(GRANTED, ...words);
    expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
    expect(stdout).toContain('+ my-service.marathon.l4lb.thisdcos.directory:5555 tcp  11.134.217.55:5555');
  });

  test('programs a real kernel with a root that is read-only, is healthy, and says what it may not do without rights', async () => {
    // hostfs has no file capabilities: the lab gets a copy in memory.
    await patiently(
      'tar',
      '--xattrs',
      '--xattrs-include=*',
      '-C',
      root,
      '-cf',
      join(folder, 'root.tar'),
      '.',
    );
    const files = join(folder, 'files');
    await mkdir(files);
    await writeFile(join(files, 'apps.json'), JSON.stringify({ apps: [myService('10.0.0.1')] }));
    await writeFile(join(files, 'read-token'), `${'t'.repeat(32)}\n`);
    makeCertificate(files, 'marathon-ipvs');
    const start = (rights: Rights, ...words: readonly string[]) =>
      image
        .asDeclared('/mnt', rights, ...words)
        .map(quoted)
        .join(' ');
    const state = '/var/lib/marathon-ipvs';
    const run = [...image.config.Entrypoint, ...image.config.Cmd, '--source', `file=${state}/apps.json`];
    const doctor = [...image.config.Entrypoint, 'doctor'];
    const [, ...health] = image.config.Healthcheck.Test;
    const overTls = {
      ...GRANTED,
      more: [
        'MARATHON_IPVS_LISTEN=0.0.0.0:61443',
        `MARATHON_IPVS_TLS_CERT_FILE=${state}/cert.pem`,
        `MARATHON_IPVS_TLS_KEY_FILE=${state}/key.pem`,
        `MARATHON_IPVS_READ_TOKEN_FILE=${state}/read-token`,
      ],
    };
    const untilHealthy = (rights: Rights) => `
      for i in $(seq 60); do
        sleep 1
        answer=$(${start(rights, ...health)} 2>/dev/null) && break
      done
      echo "healthy: $? $answer"`;
    const script = `set -e
      mount -t tmpfs -o size=1500M image /mnt
      tar --xattrs --xattrs-include='*' -C /mnt -xf ${folder}/root.tar
      mount -t proc -o ro proc /mnt/proc
      mount -t devtmpfs dev /mnt/dev
      for place in run var/lib; do
        mount -t tmpfs tmpfs /mnt/$place
        install -d -o 65532 -g 65532 /mnt/$place/marathon-ipvs
      done
      cp ${files}/* /mnt${state}
      chown 65532 /mnt${state}/*
      mount -o remount,ro /mnt
      echo "== without rights"
      ${start({ bounding: '-all' }, ...run, '--once')} 2>&1 || echo "status $?"
      echo "== run"
      ${start(GRANTED, ...run)} 2>/run/log &
      ${untilHealthy(GRANTED)}
      sleep 2
      ipvsadm -Sn
      ip -brief link show vip0
      dig +short +time=3 @198.51.100.4 my-service.marathon.l4lb.thisdcos.directory
      ${start(GRANTED, ...doctor)} >/run/doctor 2>&1 || true
      kill $!; wait $! && echo "ended well" || { echo "ended with $?"; cat /run/log; }
      echo "== doctor"
      cat /run/doctor
      echo "== doctor with one right of the two"
      ${start({ bounding: '-all,+net_admin' }, ...doctor)} 2>&1 || true
      echo "== over TLS"
      ${start(overTls, ...run)} 2>/run/log &
      ${untilHealthy(overTls)}
      curl -sk -o /dev/null -w 'without a token: %{http_code}\\n' https://127.0.0.1:61443/v1/status
      cp ${folder}/other/cert.pem /mnt${state}/other.pem
      ${start({ ...overTls, more: [...overTls.more, `MARATHON_IPVS_TLS_CERT_FILE=${state}/other.pem`] }, ...health)} || echo "status $?"
      kill $!; wait $! && echo "ended well" || { echo "ended with $?"; cat /run/log; }`;
    await mkdir(join(folder, 'other'));
    makeCertificate(join(folder, 'other'), 'marathon-ipvs');
    await writeFile(join(folder, 'script.sh'), script);
    const lab = [join(ROOT, 'test', 'lab', 'run.sh'), '-m', '3072M', '-t', '500', '--'] as const;
    const { status, stdout, stderr } = await patiently(...lab, 'bash', join(folder, 'script.sh'));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [, without = '', running = '', both = '', one = '', secure = ''] = stdout.split(/^== .*\n/m);
    for (const said of [both, one]) expect(said).toContain('[+] CAP_NET_ADMIN: in effect');
    expect(both).toContain('[+] CAP_NET_BIND_SERVICE: in effect');
    expect(one).not.toContain('[+] CAP_NET_BIND_SERVICE');
    expect(secure.trim().split('\n')).toEqual([
      'healthy: 0 ok',
      'without a token: 401',
      expect.stringMatching(/certificate/),
      'status 1',
      'ended well',
    ]);
    expect(without).toMatch(/CAP_NET_ADMIN.*status 2/s);
    expect(running.trim().split('\n')).toEqual([
      'healthy: 0 ok',
      '-A -t 11.134.217.55:5555 -s wlc',
      '-a -t 11.134.217.55:5555 -r 10.0.0.1:31000 -m -w 1',
      expect.stringMatching(/^vip0 +UNKNOWN/),
      '11.134.217.55',
      'ended well',
    ]);
  });
});

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
