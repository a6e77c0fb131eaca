/**
 * The image for ARM64, built by this machine's processor: nothing here could run a step of another one. Its programs are then
 * run by qemu-user, which knows no generic netlink, and no capabilities of files.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildInto } from '../../deploy/build/build.ts';
import { NODE_VERSION, nodeProgram } from '../../deploy/debian/node-program.ts';
import { addImage } from '../../deploy/release/image.ts';
import { debianArchive, EMULATE, emulationMissing, missing } from '../deb/debian.ts';
import { GRANTED, Image, imageMissing, myService, patiently } from '../image/image.ts';
import { shell } from '../support/host.ts';
import type { Outcome } from '../support/shell.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const PROGRAM = '/usr/lib/marathon-ipvs';

const why = (await missing()) ?? (await imageMissing()) ?? (await emulationMissing());
if (why !== null) console.warn(`tests of the image for arm64 skipped: ${why}`);

(why === null ? describe : describe.skip)('the image for arm64', () => {
  let image: Image;

  beforeAll(async () => {
    const [debian, node] = [await debianArchive('arm64'), await nodeProgram(ROOT, 'arm64')];
    image = await Image.build({ debian, node: node.program });
    await writeFile(join(image.root, 'tmp', 'apps.json'), JSON.stringify({ apps: [myService('10.0.0.1')] }));
  });
  afterAll(async () => await image.remove());

  /** Runs a line of shell, in which `"$@"` is what the image starts, as its user, in a network of its own. */
  async function emulated(line: string): Promise<Outcome> {
    const inside = `ip link set lo up && mount --rbind /proc "${image.root}/proc" && ${line}`;
    const declared = image.asDeclared(image.root, GRANTED, ...image.config.Entrypoint);
    return await patiently(...EMULATE, 'sh', '-c', inside, 'sh', ...declared);
  }

  test('says so, and has a Node.js and a setpriv of that processor', async () => {
    expect(image.architecture).toBe('arm64');
    for (const name of ['node', 'raise-capabilities'])
      expect(await shell(`od -An -tx1 -j18 -N2 ${image.root}${PROGRAM}/${name}`)).toBe(' b7 00\n');
    expect(await shell(`getcap -r ${image.root}${PROGRAM}`)).toBe(
      `${image.root}${PROGRAM}/raise-capabilities cap_net_bind_service,cap_net_admin=p\n`,
    );
    const version = await shell(`node -p "require('${ROOT}/package.json').version"`);
    expect(await emulated('"$@" --version')).toEqual({ status: 0, stdout: version, stderr: '' });
  });

  test('gives the diff of a recorded answer of Marathon', async () => {
    const diff = await emulated('"$@" diff --source file=/tmp/apps.json --against none -o ipvsadm');
    expect(diff).toEqual({
      status: 1,
      stdout: '-A -t 11.134.217.55:5555 -s wlc\n-a -t 11.134.217.55:5555 -r 10.0.0.1:31000 -m -w 1\n',
      stderr: '',
    });
  });

  test('runs, and its health check says that it is well', async () => {
    const health = await emulated(`
      "$@" run --dry-run --against none --source file=/tmp/apps.json -o json >/dev/null 2>&1 &
      for i in $(seq 120); do
        sleep 1
        "$@" ${image.config.Healthcheck.Test.slice(2).join(' ')} 2>/dev/null && break
      done
      kill $! && wait $!`);
    expect(health).toEqual({ status: 0, stdout: 'ok\n', stderr: '' });
  });

  test('is taken into a release, under the name of its processor', async () => {
    const [build, out] = [join(image.folder, 'built'), join(image.folder, 'release')];
    await mkdir(out);
    await buildInto(build);
    const { file, others } = await addImage(join(image.folder, 'image.tar'), {
      build,
      out,
      version: '0.0.0',
    });
    expect(file).toBe(join(out, 'marathon-ipvs-0.0.0-image-arm64.tar'));
    expect(others[0]).toMatchObject({ name: 'nodejs', version: NODE_VERSION });
  });
});
