/** The drop-in for `--netns-dir`: in the documentation, as the doctor makes it, and as systemd takes it. */

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { examine } from '../../controller/doctor/examine.ts';
import { MAX_NAMESPACES } from '../../controller/netns/directory.ts';
import { healthy } from './doctor/healthy.ts';

const root = new URL('../../', import.meta.url).pathname;
const page = readFileSync(join(root, 'docs/network-namespaces.md'), 'utf8');
const [, file = '', documented = ''] =
  /^```\n# (\/etc\/systemd\/system\/marathon-ipvs\S+)\n([^`]+)```$/m.exec(page) ?? [];
const { error } = spawnSync('systemd-analyze', ['--version']);

test('the doctor prints the documented drop-in', () => {
  const facts = { ...healthy, controller: null, wanted: { ...healthy.wanted, netnsDir: '/run/netns' } };
  const { command } = examine(facts, 0).findings.find(({ check }) => check === 'CAP_SYS_ADMIN') ?? {};
  expect(command).toContain(`printf '${documented.replaceAll('\n', '\\n')}' > ${file}`);
});

test('the drop-in lets as many helpers run as there may be namespaces, by the threads that a Node.js has', () => {
  const program =
    "require('fs').readFile('/proc/self/stat', () => console.log(fs.readdirSync('/proc/self/task').length))";
  const threads = Number(spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' }).stdout);
  expect(threads).toBeGreaterThan(1);
  const [, most] = /^TasksMax=(\d+)$/m.exec(documented) ?? [];
  // The controller itself, and what it starts.
  expect(Number(most)).toBeGreaterThanOrEqual((MAX_NAMESPACES + 2) * threads);
});

(error === undefined ? test : test.skip)(
  'systemd adds it to what the unit has (skipped without systemd-analyze)',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'systemd-netns-'));
    try {
      const unit = join(folder, 'marathon-ipvs.service');
      copyFileSync(join(root, 'deploy/systemd/marathon-ipvs.service'), unit);
      const ofUnit = settingsOf(folder);
      mkdirSync(`${unit}.d`);
      writeFileSync(join(`${unit}.d`, 'netns.conf'), documented);
      const withDropIn = settingsOf(folder);
      const changed = [...withDropIn].filter(([name, isSet]) => ofUnit.get(name) !== isSet);
      expect(changed.map(([name]) => name).sort()).toEqual([
        'CapabilityBoundingSet=~CAP_SYS_ADMIN',
        'CapabilityBoundingSet=~CAP_SYS_PTRACE',
        'ProtectKernelTunables=',
        'RestrictNamespaces=~net',
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

/** What systemd makes of the unit there: whether each way to keep something from it is used. */
function settingsOf(folder: string): ReadonlyMap<string, boolean> {
  const { stdout } = spawnSync(
    'systemd-analyze',
    ['security', '--offline=true', '--no-pager', '--json=short', 'marathon-ipvs.service'],
    { encoding: 'utf8', env: { ...process.env, SYSTEMD_UNIT_PATH: folder } },
  );
  const rows = JSON.parse(stdout) as readonly { readonly name: string; readonly set: boolean }[];
  return new Map(rows.map(({ name, set }) => [name, set]));
}
