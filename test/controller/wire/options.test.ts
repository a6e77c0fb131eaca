import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { parseCommandLine } from '../../../controller/cli/command-line.ts';
import { openAppClient } from '../../../controller/cli/commands/apps/app-client.ts';
import { targetOf } from '../../../controller/cli/commands/apps/target.ts';
import type { Config } from '../../../controller/config/config.ts';
import type { Environment } from '../../../controller/config/option-text.ts';
import { systemClock } from '../../../controller/time.ts';
import { sourcesOf } from '../../../controller/wire/sources.ts';
import { silent } from '../source/support.ts';

const directory = mkdtempSync(join(tmpdir(), 'wire-options-'));
afterAll(() => rmSync(directory, { recursive: true }));
const never = new AbortController().signal;
/** Nothing listens there. */
const CLOSED = 'http://127.0.0.1:1';
const ABSENT = join(directory, 'absent.json');

function configOf(argv: readonly string[], environment: Environment = {}, file?: string): Config {
  const path = join(directory, 'config.yaml');
  if (file !== undefined) writeFileSync(path, file);
  const asked = parseCommandLine(file === undefined ? argv : [...argv, '--config', path], environment);
  if (!('config' in asked)) throw new Error('no command');
  return asked.config;
}

async function failureOf(config: Config): Promise<string> {
  const [source] = await sourcesOf(config, silent, []);
  return await (source?.read(never) ?? Promise.reject(new Error('no source'))).then(
    () => 'it was read',
    (error: Error) => error.message,
  );
}

describe('advice on an address names what it was given by', () => {
  test.each<[string, string, string]>([
    ['marathon', `marathon=${CLOSED}`, 'nothing listens there: check the address (%), or start Marathon'],
    ['mesos', `mesos=${CLOSED}`, 'nothing listens there: check the address (%), or start Mesos'],
    ['mesos-agent', `mesos-agent=${CLOSED}`, 'nothing listens there: check the address (%), or start Mesos'],
    ['file', `file=${ABSENT}`, 'there is no such file or directory; check the path (%)'],
  ])('of a source %s', async (_kind, source, advice) => {
    const by = (what: string) => advice.replace('%', what);
    expect(await failureOf(configOf(['diff', '--source', source]))).toContain(by('--source'));
    const environment = { MARATHON_IPVS_SOURCE: source };
    expect(await failureOf(configOf(['diff'], environment))).toContain(by('MARATHON_IPVS_SOURCE'));
    const inFile = configOf(['diff'], {}, `source: ${source}\n`);
    expect(await failureOf(inFile)).toContain(by(`source in ${directory}/config.yaml`));
  });

  test('of the Marathon that a command speaks with', async () => {
    const listed = async (config: Config) => {
      const target = targetOf(config);
      if (target.kind !== 'marathon') throw new Error('no Marathon');
      return await openAppClient(target.where, config, systemClock, silent)
        .writer.listApps(never)
        .then(String, (error: Error) => error.message);
    };
    const source = ['--source', `marathon=${CLOSED}`];
    expect(await listed(configOf(['app', 'list', ...source]))).toContain('check the address (--source)');
    expect(await listed(configOf(['app', 'list', '--marathon', CLOSED, ...source]))).toContain(
      'check the address (--marathon)',
    );
    expect(await listed(configOf(['app', 'list'], { MARATHON_IPVS_MARATHON: CLOSED }))).toContain(
      'check the address (MARATHON_IPVS_MARATHON)',
    );
  });
});

test('a file that goes while the controller runs is told with the option that names it', async () => {
  const path = join(directory, 'ca.pem');
  writeFileSync(path, 'x');
  const config = configOf(
    ['diff', '--source', 'marathon=https://127.0.0.1:1'],
    {},
    `marathon-ca-file: ${path}\n`,
  );
  rmSync(path);
  expect(await failureOf(config)).toBe(
    `marathon-ca-file in ${directory}/config.yaml: ${path} cannot be read: there is no such file or directory`,
  );
});

test.each<[readonly string[], string | undefined, RegExp]>([
  [['--source', 'file=a', '--source', 'file=a'], undefined, /^--source: "file=a" is given twice/],
  [[], 'source: [file=a, file=a]', /^source in \/.*config\.yaml: "file=a" is given twice/],
])('options that do not go together are named as they were given: %j %j', (flags, file, message) => {
  expect(() => configOf(['diff', ...flags], {}, file)).toThrow(message);
});
