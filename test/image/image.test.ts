import { spawn } from 'node:child_process';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { command, type Outcome, shell } from '../support/host.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const BUILD = join(import.meta.dirname, 'build.sh');
// Debian is unpacked, packages are installed, and the lab copies all of it once more.
const tools = await command('sh', '-c', 'command -v buildah debootstrap');
const ready = tools.status === 0 && process.getuid?.() === 0;
const withBuildah = ready ? describe : describe.skip;
if (!ready) console.warn('image tests skipped: they need root, buildah and debootstrap');

/** The parts of the image's own description that decide how it is run. */
interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly WorkingDir: string;
  readonly Entrypoint: readonly string[];
  readonly Healthcheck: { readonly Test: readonly string[] };
}

/** What the image declares that it needs; a container engine takes everything else away. */
const CAPABILITIES = '-all,+net_admin,+net_bind_service';

withBuildah('the image that the Dockerfile makes', () => {
  let folder: string;
  let root: string;
  let config: ImageConfig;

  beforeAll(async () => {
    // Not below /tmp: the lab has another one.
    folder = await mkdtemp('/var/tmp/marathon-ipvs-image.');
    const built = await patiently(BUILD, folder);
    if (built.status !== 0) throw new Error(`the image cannot be built:\n${built.stdout}${built.stderr}`);
    root = built.stdout.trim();
    config = JSON.parse(await readFile(join(folder, 'image.json'), 'utf8')).Docker.config;
  });
  afterAll(async () => {
    await patiently(BUILD, '-d', folder);
  });

  /** The words that run something of the image as an engine would: its user, its environment, its capabilities. */
  function asDeclared(at: string, bounding: string, ...words: readonly string[]): string[] {
    const [user, group] = config.User.split(':');
    const identity = ['--reuid', `${user}`, '--regid', `${group}`, '--clear-groups'];
    const rights = ['--bounding-set', bounding, '--inh-caps', '-all'];
    const environment = ['env', '-i', '-C', config.WorkingDir, ...config.Env];
    return ['chroot', at, 'setpriv', ...identity, ...rights, ...environment, ...words];
  }

  async function marathonIpvs(...args: readonly string[]): Promise<Outcome> {
    const [program = '', ...rest] = asDeclared(root, CAPABILITIES, ...config.Entrypoint, ...args);
    return await command(program, ...rest);
  }

  test('has the production dependencies and nothing else, and a size to state', async () => {
    const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8'));
    const development = Object.entries<{ dev?: boolean }>(lock.packages)
      .filter(([path, { dev }]) => dev === true && /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path))
      .map(([path]) => path.slice('node_modules/'.length));
    expect(development).toContain('jest');
    const installed = (await shell(`cd ${root}/app/node_modules && ls -d * @*/*`)).split('\n');
    expect(installed).toEqual(expect.arrayContaining(['zod', 'netlink', 'ipvs-netlink-ts']));
    expect(installed.filter((name) => development.includes(name))).toEqual([]);
    expect((await shell(`ls ${root}/app`)).trim().split('\n')).toEqual([
      'LICENSE',
      'controller',
      'ipvs',
      'node_modules',
      'package-lock.json',
      'package.json',
      'raise-capabilities',
    ]);
    expect((await command('sh', '-c', `ls ${root}/usr/local/bin`)).stdout.trim()).toBe('node');

    const kilobytes = async (path: string) => Number((await shell(`du -sk ${path}`)).split('\t')[0]);
    const [all, node, app] = await Promise.all(
      ['', '/usr/local/bin/node', '/app'].map((at) => kilobytes(root + at)),
    );
    console.info(`image: ${all} kB, of which node ${node} kB and the program with its packages ${app} kB`);
    expect(app).toBeLessThan(100_000);
  });

  test('runs as nobody, who may change networks and listen at port 53, and nothing else', async () => {
    expect(config.User).toBe('65532:65532');
    expect(await shell(`getcap -r ${root} 2>/dev/null`)).toBe(
      `${root}/app/raise-capabilities cap_net_bind_service,cap_net_admin=p\n`,
    );
    expect(await marathonIpvs('--version')).toEqual({
      status: 0,
      stdout: `${JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')).version}\n`,
      stderr: '',
    });
  });

  test('gives the diff of a recorded answer of Marathon', async () => {
    await writeFile(join(root, 'tmp', 'apps.json'), JSON.stringify({ apps: [myService('10.0.0.1')] }));
    const { status, stdout, stderr } = await marathonIpvs(
      'diff',
      '--source',
      'file=/tmp/apps.json',
      '--against',
      'none',
    );
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
    await writeFile(join(folder, 'apps.json'), JSON.stringify({ apps: [myService('10.0.0.1')] }));
    const start = (bounding: string, ...words: readonly string[]) =>
      asDeclared('/mnt', bounding, ...words)
        .map(quoted)
        .join(' ');
    const run = [...config.Entrypoint, 'run', '--source', 'file=/var/lib/marathon-ipvs/apps.json'];
    const [, ...health] = config.Healthcheck.Test;
    const script = `set -e
      mount -t tmpfs -o size=1500M image /mnt
      tar --xattrs --xattrs-include='*' -C /mnt -xf ${folder}/root.tar
      mount -t proc -o ro proc /mnt/proc
      mount -t devtmpfs dev /mnt/dev
      for place in run var/lib; do
        mount -t tmpfs tmpfs /mnt/$place
        install -d -o 65532 -g 65532 /mnt/$place/marathon-ipvs
      done
      cp ${folder}/apps.json /mnt/var/lib/marathon-ipvs/apps.json
      mount -o remount,ro /mnt
      echo "== without rights"
      ${start('-all', ...run, '--once')} 2>&1 || echo "status $?"
      echo "== run"
      ${start(CAPABILITIES, ...run)} 2>/run/log &
      for i in $(seq 60); do
        sleep 1
        answer=$(${start(CAPABILITIES, ...health)} 2>/dev/null) && break
      done
      echo "healthy: $? $answer"
      sleep 2
      ipvsadm -Sn
      ip -brief link show vip0
      dig +short +time=3 @198.51.100.4 my-service.marathon.l4lb.thisdcos.directory
      ${start(CAPABILITIES, ...config.Entrypoint, 'doctor')} >/run/doctor 2>&1 || echo "status $?" >>/run/doctor
      kill %1; wait %1 && echo "ended well" || { echo "ended with $?"; cat /run/log; }
      echo "== doctor"
      cat /run/doctor`;
    await writeFile(join(folder, 'script.sh'), script);
    const lab = [join(ROOT, 'test', 'lab', 'run.sh'), '-m', '3072M', '-t', '500', '--'] as const;
    const { status, stdout, stderr } = await patiently(...lab, 'bash', join(folder, 'script.sh'));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [, without = '', running = '', doctor = ''] = stdout.split(/== .*\n/);
    expect(doctor).toContain('[+] CAP_NET_ADMIN: in effect');
    expect(doctor).toContain('[+] CAP_NET_BIND_SERVICE: in effect');
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

/** Runs what takes minutes. */
async function patiently(file: string, ...args: readonly string[]): Promise<Outcome> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].on('data', (data: Buffer) => {
      said[name] += data.toString();
    });
  const status = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 128)));
  return { status, ...said };
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The documentation's example, with one instance. */
function myService(host: string) {
  return {
    id: '/my-service',
    portDefinitions: [{ protocol: 'tcp', port: 5555, labels: { VIP_0: '/my-service:5555' } }],
    tasks: [
      {
        id: 'my-service.1',
        host,
        ports: [31000],
        state: 'TASK_RUNNING',
        startedAt: '2026-01-01T00:00:00.000Z',
      },
    ],
  };
}
