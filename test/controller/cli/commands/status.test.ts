import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { parseCommandLine } from '../../../../controller/cli/command-line.ts';
import { serverOf } from '../../../../controller/cli/commands/controller.ts';
import { status } from '../../../../controller/cli/commands/status.ts';
import type { Config } from '../../../../controller/config/config.ts';
import { ControllerError } from '../../../../controller/errors.ts';
import { statusDocument } from '../../../../controller/status/document.ts';
import { painter } from '../../../../controller/text/table.ts';
import { FakeClock } from '../../../support/fake-clock.ts';
import { desiredOf } from '../../../support/observed.ts';
import { eventually } from '../../../support/waiting.ts';
import { Serving } from '../../api/serving.ts';
import { DB, passOf, WEB } from '../../status/passes.ts';

let serving: Serving;
let printed: string;
let complaints: string[];
let width: number | null;
let clock: FakeClock;

beforeEach(async () => {
  serving = await Serving.start();
  serving.converge(passOf({ desired: desiredOf(WEB, DB) }));
  printed = '';
  complaints = [];
  width = null;
  clock = new FakeClock();
});
afterEach(() => serving.close());

function configOf(...argv: string[]): Config {
  const asked = parseCommandLine(['status', '--server', serving.url, ...argv], {});
  if (!('config' in asked)) throw new Error('no command');
  return asked.config;
}

async function run(config: Config, name: string | null = null, signal = new AbortController().signal) {
  const print = (text: string) => {
    printed += text;
  };
  const printError = (line: string) => complaints.push(line);
  const ports = { print, printError, redraw: print, layout: () => ({ width, paint: painter(false) }), clock };
  return await status(config, name, ports, signal);
}

async function refusal(config: Config): Promise<string> {
  const error = await run(config).then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ControllerError);
  expect(printed).toBe('');
  return error instanceof ControllerError ? error.message : '';
}

describe('marathon-ipvs status', () => {
  test('prints the VIPs of the running controller, in every format', async () => {
    expect(await run(configOf())).toBe(0);
    expect(printed).toMatch(/^VIP .*\ndb\.marathon .*\nweb\.marathon /);
    printed = '';
    await run(configOf('-o', 'wide'));
    expect(printed).toContain('BACKEND');
    printed = '';
    await run(configOf('-o', 'json'));
    const document = statusDocument.parse(JSON.parse(printed));
    expect(document.vips).toHaveLength(2);
    printed = '';
    await run(configOf('-o', 'yaml'));
    expect(statusDocument.parse(parse(printed)).vips).toHaveLength(2);
  });

  test('with a name prints the matching VIP with its backends; exits with 1 if none matches', async () => {
    expect(await run(configOf(), 'web')).toBe(0);
    expect(printed).toMatch(/^web\.marathon\.l4lb\.thisdcos\.directory {2}11\.0\.0\.1:80\/tcp/);
    expect(printed).not.toContain('db.marathon');
    printed = '';
    expect(await run(configOf(), 'nothing')).toBe(1);
    expect({ printed, complaints }).toEqual({ printed: '', complaints: ['no VIP matches "nothing"'] });
  });

  test('prints one line if no controller runs', async () => {
    const config = configOf();
    await serving.close();
    const message = await refusal(config);
    expect(message).toMatch(
      /^no controller answers at http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED [^\n]*--server/,
    );
    expect(message.match(/ECONNREFUSED/g)).toHaveLength(1);
  });

  test.each([
    [
      'another program',
      200,
      '{"hello":"world"}',
      /status 200 \(apiVersion: .*not as a controller of this version does$/,
    ],
    ['no JSON', 200, '<html>', /status 200 .*not as a controller/],
    [
      'an older controller',
      404,
      '{"error":"no such endpoint"}',
      /status 404: no such endpoint, not as a controller/,
    ],
  ])('says in one line what answers otherwise: %s', async (_name, code, body, expected) => {
    const other = createServer((_request, response) => response.writeHead(code).end(body));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : 0;
    try {
      const message = await refusal(configOf('--server', `http://127.0.0.1:${port}`));
      expect(message).toMatch(expected);
      expect(message).not.toContain('\n');
    } finally {
      other.close();
    }
  });
});

describe('--watch', () => {
  test('repeats every two seconds, and exits with 0 on a signal', async () => {
    const stop = new AbortController();
    const ended = run(configOf('--watch'), null, stop.signal);
    const looks = async (times: number) => {
      await eventually(() => printed.split('SINCE').length > times, `it has printed ${times} times`, 1);
    };
    await looks(1);
    await clock.advance(1_999);
    expect(printed.match(/SINCE/g)).toHaveLength(1);
    await clock.advance(1);
    await looks(2);
    stop.abort();
    expect(await ended).toBe(0);
    expect(printed).not.toContain('\u001b');
  });

  test('shows a failure without ending', async () => {
    width = 80;
    const stop = new AbortController();
    const ended = run(configOf('--watch'), null, stop.signal);
    await eventually(() => printed.includes('SINCE'), 'it has printed the VIPs', 1);
    await serving.close();
    await clock.advance(2_000);
    await eventually(() => printed.includes('no controller answers'), 'the failure is shown', 1);
    stop.abort();
    expect(await ended).toBe(0);
  });

  test('does not start if no controller runs', async () => {
    const config = configOf('--watch');
    await serving.close();
    await refusal(config);
  });
});

test('connects to the address of --listen, unless --server is given', () => {
  const asked = (address: string, port = 61_421) =>
    serverOf({ server: undefined, listen: { address, port } });
  expect(asked('127.0.0.1')).toBe('http://127.0.0.1:61421');
  expect(asked('0.0.0.0')).toBe('http://127.0.0.1:61421');
  expect(asked('::', 80)).toBe('http://[::1]:80');
  expect(serverOf({ server: 'https://proxy/one', listen: null })).toBe('https://proxy/one');
  expect(() => serverOf({ server: undefined, listen: null })).toThrow(
    /--listen has no address .*--server URL/,
  );
  expect(() => asked('127.0.0.1', 0)).toThrow(/--server URL/);
});

describe('marathon-ipvs status --netns', () => {
  beforeEach(async () => {
    await serving.close();
    const kept = { path: '/run/netns/web', isInSync: true, reason: null, vips: 3, since: 0 };
    const lost = { id: 'db', path: null, isInSync: false, reason: 'it is empty', vips: 0, since: 0 };
    const report = { directory: '/run/l4lb', failure: null, namespaces: [lost, { ...kept, id: 'web' }] };
    serving = await Serving.start({}, { namespaces: () => report });
    serving.converge(passOf({ desired: desiredOf(WEB) }));
  });

  test('prints one network namespace, in every format', async () => {
    expect(await run(configOf('--netns', 'web'))).toBe(0);
    expect(printed).toMatch(/^network namespace web \(\/run\/netns\/web\): 3 VIPs, in sync for \w+\n$/);
    printed = '';
    expect(await run(configOf('--netns', 'db'))).toBe(0);
    expect(printed).toMatch(/^network namespace db: 0 VIPs, not in sync for \w+: it is empty\n$/);
    printed = '';
    await run(configOf('--netns', 'web', '-o', 'json'));
    expect(JSON.parse(printed)).toMatchObject({ id: 'web', inSync: true, vips: 3 });
  });

  test('exits with 1 if none matches, and says where names come from', async () => {
    expect(await run(configOf('--netns', 'lost'))).toBe(1);
    expect(complaints).toEqual(['no network namespace is called "lost" in /run/l4lb']);
  });

  test('a VIP and a network namespace together are refused', async () => {
    await expect(run(configOf('--netns', 'web'), 'db')).rejects.toThrow(
      'status "db" and --netns are both given, expected one of them',
    );
  });
});
