import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { App, Rejection } from '../../../controller/model/app.ts';
import { createStateStore } from '../../../controller/state/store.ts';
import {
  filteredReport,
  metricsText,
  optionsText,
  stateText,
  statusText,
} from '../../../controller/support/files.ts';
import { withoutSecrets } from '../../../controller/support/free-text.ts';
import { logText } from '../../../controller/support/log-text.ts';
import { app, port, snapshot, web } from '../../support/builders.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { desiredOf } from '../../support/observed.ts';
import { Serving } from '../api/serving.ts';
import { DB, passOf, WEB } from '../status/passes.ts';
import { documentOf, readingOf } from '../status/status-world.ts';

/** Secrets with digits and letters of both cases in the middle, and anything around them. */
const secrets = fc.stringMatching(/^[ -~]{0,8}[A-F]{4}[0-9a-f]{12}[g-z]{4}[ -~]{0,8}$/);
const core = (secret: string) => /[A-F]{4}[0-9a-f]{12}[g-z]{4}/.exec(secret)?.[0] ?? '';

const rejection = (key: string, value: string): Rejection => ({
  app: '/web',
  at: `portDefinitions[0].labels.${key}`,
  value,
  reason: `expected NAME:PORT or IP:PORT; was ${value} meant?`,
});

/** An app with a secret in every possible place. */
function leaky(secret: string): App {
  const labels = {
    VIP_0: '/web:80',
    VIP_1: secret,
    VIPER_TOKEN: secret,
    vip: `${secret}@:x`,
    IPVS_SCHEDULER: 'rr',
    IPVS_WEIGHT: secret,
    PROXY_AUTH: secret,
  };
  const now = web('/web', labels, '10.0.0.1:31000');
  const older = web('/web', { VIP_0: '/older:80', PROXY_AUTH: secret }, '10.0.0.2:31000');
  return {
    ...now,
    tasks: [...now.tasks, ...older.tasks],
    rejected: [rejection('API_TOKEN', secret), rejection('VIP_1', secret), rejection('IPVS_WEIGHT', secret)],
    warnings: [
      `/web portDefinitions[0].labels.VIP_1: "${secret}" is not valid, so the VIP stays what it was: /web:80`,
    ],
    ...{ env: { MODE: secret }, cmd: secret },
  };
}

describe('saved state', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'support-files-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const warned: unknown[] = [];
  const store = () => {
    const nothing = () => undefined;
    const warn = (message: string) => warned.push(message);
    return createStateStore(directory, new FakeClock(), {
      debug: nothing,
      info: nothing,
      warn,
      error: nothing,
    });
  };
  const each = (change: (text: string) => string) => {
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      writeFileSync(path, change(readFileSync(path, 'utf8')), { mode: 0o600 });
    }
  };

  test('loses free-form fields of app authors, and loads as before', async () => {
    const apps = [leaky('my secret'), app('/db', { ports: [port({})] })];
    const about = { agents: ['10.0.0.1'], places: { '10.0.0.1': { zone: 'a' } } };
    const state = { ...snapshot(...apps), ...about, rejected: [rejection('API_TOKEN', 'my secret')] };
    await store().saveSource('file=apps.json', null, () => state);
    await store().saveMemory({
      addresses: new Map([['web.marathon', { ipv4: '11.0.0.1' }]]),
      labels: new Map([
        ['a', '/web:80'],
        ['b', 'my secret'],
      ]),
    });
    each(stateText);
    each((text) => {
      expect(text).not.toContain('my secret');
      return text;
    });
    const loaded = (await store().loadSource('file=apps.json'))?.snapshot;
    expect(warned).toEqual([]);
    expect(loaded).toMatchObject({
      ...about,
      apps: [
        {
          id: '/web',
          ports: [
            {
              labels: {
                VIP_0: '/web:80',
                VIP_1: '***',
                VIPER_TOKEN: '***',
                IPVS_SCHEDULER: 'rr',
                PROXY_AUTH: '***',
              },
            },
          ],
          tasks: [
            { ports: [{ endpoints: [{ address: '10.0.0.1', port: 31_000 }] }] },
            { ports: [{ labels: { VIP_0: '/older:80', PROXY_AUTH: '***' } }] },
          ],
          rejected: [{ at: 'portDefinitions[0].labels.API_TOKEN', value: '***' }, {}, {}],
        },
        { id: '/db' },
      ],
    });
    expect((await store().loadMemory())?.addresses).toEqual(
      new Map([['web.marathon', { ipv4: '11.0.0.1' }]]),
    );
  });

  test('has the serial of the DNS zones', async () => {
    await store().saveSerial(1_700_000_256);
    each(stateText);
    expect(await store().loadSerial()).toBe(1_700_000_256);
  });

  test('has no secret of an app, in whatever field', async () => {
    await fc.assert(
      fc.asyncProperty(secrets, async (secret) => {
        await store().saveSource('file=apps.json', null, () => snapshot(leaky(secret)));
        each((text) => {
          expect(stateText(text)).not.toContain(core(secret));
          return text;
        });
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    'password: x',
    '12345678 ["put","about"',
    '["put","other x",{"password":"x"}]',
    '{"version":1}x',
  ])('leaves out a line of another form: %j', (line) => {
    expect(stateText(`${line}\n`)).toBe('lines left out because they have an unknown form: 1\n');
  });

  test('a blank in labels, or a label that is not text, does not escape the filter', () => {
    const row = JSON.stringify([
      'put',
      'app marathon /web',
      { id: '/web', ports: [{ labels: { A: 'secret', B: 5 } }] },
    ]);
    const numbers = JSON.stringify([
      'put',
      'app marathon /web',
      {
        ports: [{ labels: { PIN: 73_911, VIP_0: 73_911 } }],
        rejected: [rejection('PIN', '73911'), { ...rejection('', '73911'), at: 'env.PIN' }],
      },
    ]);
    expect(stateText(`00000000 ${numbers}\n`)).not.toContain('73911');
    for (const json of [
      row.replace('"labels":{', '"labels": {'),
      row.replace('{"A"', '[{"A"').replace('5}', '5}]'),
    ])
      expect(stateText(`00000000 ${json}\n`)).not.toContain('secret');
  });
});

describe('the status', () => {
  test('has what a reader needs, and no unknown fields', () => {
    const text = statusText(
      JSON.stringify({
        version: '0.1.0',
        vips: [
          {
            id: 'tcp/token:80',
            fqdn: 'token.marathon.l4lb',
            port: 80,
            apps: ['/token'],
            env: 'x1',
            backends: [{ address: '10.0.0.1', port: 1, reason: 'refused: password=x2' }],
          },
        ],
        sources: [
          { name: 'marathon=http://m:8080', failure: { at: 'now', message: 'http://u:x3@m/ fails' } },
        ],
        rejected: [rejection('API_TOKEN', 'x4'), rejection('VIP_0', '10.0.0.1:70000')],
        warnings: ['/web: "x5" is ignored'],
        said: 'x6',
      }),
    );
    expect(text).not.toMatch(/x\d/);
    expect(JSON.parse(text)).toMatchObject({
      vips: [
        {
          id: 'tcp/token:80',
          fqdn: 'token.marathon.l4lb',
          port: 80,
          apps: ['/token'],
          backends: [{ address: '10.0.0.1', reason: 'refused: password=***' }],
        },
      ],
      sources: [{ name: 'marathon=http://m:8080', failure: { message: 'http://***@m/ fails' } }],
      rejected: [{ value: '***' }, { value: '10.0.0.1:70000' }],
    });
  });

  test('of a running controller is complete', () => {
    const held = {
      ...passOf({ desired: desiredOf(WEB, DB) }),
      failures: [{ step: '-A -t 11.0.0.1:80', message: 'EPERM: not permitted' }],
    };
    const document = documentOf(held, readingOf());
    expect(document.vips).not.toEqual([]);
    expect(JSON.parse(statusText(JSON.stringify(document)))).toEqual(JSON.parse(JSON.stringify(document)));
  });

  test('that is not JSON is left out, and not quoted', () => {
    expect(() => statusText('{"MODE":x1')).toThrow(/^the answer is not a status document$/);
  });
});

test('a diff shows a rejected label without its value', () => {
  const report = filteredReport({
    rejected: [rejection('VIP_1', 'my secret')],
    warnings: ['/web: "my secret" is ignored'],
  } as never);
  expect(JSON.stringify(report)).not.toContain('my secret');
  expect(report.rejected[0]).toMatchObject({ app: '/web', at: 'portDefinitions[0].labels.VIP_1' });
});

test('options keep their values', () => {
  const options = {
    'read-token-file': { value: '/etc/read-token', from: 'file' },
    source: { value: [{ kind: 'marathon', where: 'http://m:8080' }], from: 'flag' },
  };
  expect(JSON.parse(optionsText(options))).toEqual(options);
});

test('metrics keep the lines that are metrics', () => {
  const lines =
    '# HELP marathon_ipvs_vips VIPs, by state.\nmarathon_ipvs_vips{name="token:80"} 3\nprocess_x 1e+09\n';
  expect(metricsText(`${lines}password: x\nPIN 1234\nnodejs_x{a="password=y"} 1\n`)).toBe(
    `${lines}nodejs_x{a="password=***"} 1\n`,
  );
});

test('the metrics and checks of a running controller are complete', async () => {
  const serving = await Serving.start();
  try {
    serving.converge(passOf({ desired: desiredOf(WEB, DB) }));
    const textAt = async (path: string) => await (await fetch(serving.url + path)).text();
    const metrics = await textAt('/metrics');
    expect(metrics).toContain('marathon_ipvs_vips');
    expect(metricsText(metrics)).toBe(metrics.replace(/\n+/g, '\n'));
    const checks = await textAt('/readyz?verbose');
    expect(withoutSecrets(checks)).toBe(checks);
  } finally {
    await serving.close();
  }
});

describe('the log', () => {
  const prefix = '2026-11-29T10:00:00+0000 host marathon-ipvs[1]: ';
  const line = (fields: object) =>
    `${prefix}${JSON.stringify({ level: 'warn', msg: 'app rejected', ...fields })}`;

  test('keeps the fields of our own lines that may be kept', () => {
    const own = line({
      app: '/token',
      vip: 'tcp/token:80',
      apps: 3,
      error: 'connect ECONNREFUSED 10.0.0.1:8080',
    });
    expect(logText(own)).toBe(own);
  });

  test('has no secret, whichever field it is in', () => {
    fc.assert(
      fc.property(secrets, (secret) => {
        const lines = [
          line({ ...rejection('API_TOKEN', secret), labels: { TOKEN: secret, VIP_1: secret } }),
          line({ error: `answers 422: ${JSON.stringify({ env: { MODE: secret } })}`, args: [secret] }),
          line({ err: { message: `password: ${secret}`, password: secret, 'secret-key': secret } }),
          line({ body: JSON.stringify({ password: secret }) }),
          `${prefix}node:internal error: Authorization: ${secret}`,
          `${prefix}{"level":"warn","token":${JSON.stringify(secret)}`,
        ];
        expect(logText(lines.join('\n'))).not.toContain(core(secret));
      }),
    );
  });

  test('treats a crash between our own lines as free text', () => {
    expect(
      logText(`${line({ apps: 1 })}\nError: password=x\n    at file:///a.ts:1:2\n${line({ apps: 2 })}\n`),
    ).toBe(`${line({ apps: 1 })}\nError: password=***\n    at file:///a.ts:1:2\n${line({ apps: 2 })}\n`);
  });
});
