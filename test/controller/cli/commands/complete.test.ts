import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { complete } from '../../../../controller/cli/commands/complete.ts';
import { flagName } from '../../../../controller/config/option-text.ts';
import { describeOption, optionNames, options } from '../../../../controller/config/options.ts';
import { desiredOf } from '../../../support/observed.ts';
import { Serving } from '../../api/serving.ts';
import { DB, passOf, WEB } from '../../status/passes.ts';

let serving: Serving;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'complete-'));
});
afterAll(() => rm(directory, { recursive: true }));
beforeEach(async () => {
  serving = await Serving.start();
  serving.converge(passOf({ desired: desiredOf(WEB, DB) }));
});
afterEach(() => serving.close());

/** What the last of these words may become. */
async function offered(words: readonly string[], environment: Record<string, string> = {}) {
  const text = await complete(words, environment, new AbortController().signal);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t')[0]);
}

describe('VIPs and apps of the running controller', () => {
  test('are offered where they are accepted', async () => {
    const here = ['--server', serving.url];
    expect(await offered(['status', ...here, ''])).toEqual(['/db', '/web', 'db.marathon', 'web.marathon']);
    expect(await offered(['why', `--server=${serving.url}`, 'w'])).toEqual(['web.marathon']);
    expect(await offered(['app', 'remove', ...here, '/'])).toEqual(['/db', '/web']);
    const environment = { MARATHON_IPVS_SERVER: serving.url };
    expect(await offered(['app', 'show', '/w'], environment)).toEqual(['/web']);
    expect(await offered(['app', 'update', ...here, '/web', ''])).toEqual([':files']);
    expect(await offered(['connection', ...here, ''])).toEqual([]);
  });

  test('network namespaces are offered after --netns', async () => {
    await serving.close();
    const kept = { path: null, isInSync: true, reason: null, vips: 3, since: 0 };
    const namespaces = ['db', 'web'].map((id) => ({ ...kept, id }));
    serving = await Serving.start(
      {},
      { namespaces: () => ({ directory: '/run/l4lb', failure: null, namespaces }) },
    );
    serving.converge(passOf({ desired: desiredOf(WEB) }));
    expect(await offered(['why', '--server', serving.url, '--netns', ''])).toEqual(['db', 'web']);
    expect(await offered(['status', '--server', serving.url, '--netns', 'w'])).toEqual(['web']);
  });

  test('are read from the controller that environment and file locate', async () => {
    const file = join(directory, 'config.yaml');
    await writeFile(file, `server: ${serving.url}\n`);
    expect(await offered(['app', 'remove', ''], { MARATHON_IPVS_CONFIG: file })).toEqual(['/db', '/web']);
    expect(await offered(['app', 'remove', ''], { MARATHON_IPVS_SERVER: serving.url })).toHaveLength(2);
    // The last one that is typed decides, as it will when the line runs.
    const twice = ['--server', 'http://127.0.0.1:1', '--server', serving.url];
    expect(await offered(['app', 'remove', ...twice, ''])).toHaveLength(2);
  });

  test('are silently empty if no controller answers, or a file or an option is wrong', async () => {
    expect(await offered(['status', '--server', 'http://127.0.0.1:1', ''])).toEqual([]);
    expect(await offered(['status', '--server', 'nowhere', ''])).toEqual([]);
    expect(await offered(['status', '--config', join(directory, 'absent'), ''])).toEqual([]);
    expect(await offered(['status', ''], { MARATHON_IPVS_FROB: '1', MARATHON_IPVS_LISTEN: 'off' })).toEqual(
      [],
    );
  });

  test('are empty if the controller answers too late', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    try {
      expect(await offered(['status', '--server', `http://127.0.0.1:${port}`, ''])).toEqual([]);
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });
});

test('all words that an option accepts are offered, in any case', async () => {
  // The forms of output are those of the command.
  for (const name of optionNames.filter((one) => one !== 'output')) {
    const { value, commands, switch: isSwitch } = describeOption(name);
    const accepted = value.split('|').filter((word) => options.shape[name].safeParse(word).success);
    const words = accepted.filter((word) => /[a-z]/.test(word));
    if (isSwitch === true || words.length === 0) continue;
    const offers = await offered([...(commands[0] ?? '').split(' '), flagName(name), '']);
    expect({ name, offers }).toEqual({ name, offers: expect.arrayContaining(words) });
  }
  const zones = ['PreferSameZone', 'PreferSameNode'];
  expect(await offered(['run', '--traffic-distribution', 'Prefer'])).toEqual(zones);
});

test('contexts of Kubernetes are offered as sources, from every file of KUBECONFIG', async () => {
  const files = ['one', 'two'].map((name) => join(directory, name));
  for (const [at, file] of files.entries()) {
    await writeFile(file, `contexts:\n- name: c${at}\n  context: {cluster: x}\n- name: same\n`);
  }
  const environment = { KUBECONFIG: files.join(':') };
  const contexts = ['kubernetes=c0', 'kubernetes=c1', 'kubernetes=same'];
  expect(await offered(['run', '--source', 'k'], environment)).toEqual(['kubernetes', ...contexts]);
  expect(await offered(['run', '--source=kubernetes=c'], environment)).toEqual([
    '--source=kubernetes=c0',
    '--source=kubernetes=c1',
  ]);
  await writeFile(files[0] ?? '', 'contexts: [');
  expect(await offered(['run', '--source', 'k'], environment)).toEqual(['kubernetes']);
  expect(await offered(['run', '--source', 'file='])).toEqual(['file=', ':files']);
});

describe('offers depend on the words before', () => {
  test.each<[string, string[], string[]]>([
    ['a value of an option', ['run', '--log-level', ''], ['debug', 'info', 'warn', 'error']],
    ['of the option by its letter', ['diff', '-o', 'i'], ['ipvsadm']],
    ['a switch takes none', ['app', 'list', '--kubernetes', '--kubernetes-n'], ['--kubernetes-namespace']],
    ['behind -- stands no option', ['status', '--', '--out'], []],
    ['an option of another command', ['app', 'list', '--force', '--for'], []],
    ['no option of that name', ['status', '--frob=', ''], []],
    ['no such command', ['frob', 'a', ''], []],
    ['help of a command', ['help', 'comp'], ['completion']],
    ['help of a command in a group', ['help', 'app', 's'], ['show']],
    ['help ends there', ['help', 'status', ''], []],
    ['a completion', ['completion', ''], ['bash', 'zsh', 'fish']],
    ['nothing behind it', ['doctor', ''], []],
  ])('%s', async (_name, words, expected) => {
    expect(await offered(words, { MARATHON_IPVS_SERVER: 'http://127.0.0.1:1' })).toEqual(expected);
  });

  test('it is not in any help', async () => {
    expect(await offered([''])).not.toContain('__complete');
  });
});
