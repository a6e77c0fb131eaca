import { expect, test } from '@jest/globals';
import type { Report } from '../../../controller/plan/plan.ts';
import { toJson } from '../../../controller/plan/print-json.ts';
import { toText } from '../../../controller/plan/print-text.ts';
import { painter } from '../../../controller/text/table.ts';
import { backend, service, WEIGHT_1, WLC } from '../../support/builders.ts';
import { desiredOf, observedService, tableOf } from '../../support/observed.ts';
import { createDiff } from '../../support/planning.ts';

const named = { name: 'my-service', apps: ['/my-service'] };
const added = service(
  '11.134.217.55',
  5555,
  [
    backend('10.0.0.1', 31000, { task: 'my-service.c9e1' }),
    backend('10.0.0.2', 31871, {
      task: 'my-service.d07a',
      weight: 0,
      reason: 'running, health check failing',
    }),
  ],
  named,
);
const changed = service(
  '11.225.37.143',
  80,
  [backend('10.0.0.1', 1, { weight: 0, reason: 'being killed' })],
  { name: 'web', scheduler: 'rr', apps: ['/web'] },
);
const kept = service('11.0.0.9', 80, [backend('10.0.0.1', 9)], { name: 'kept' });
const gone = service('192.168.1.1', 80, [backend('10.0.0.1', 8)]);

function reportOf(): Report {
  const observed = tableOf(
    observedService(service('11.225.37.143', 80, [backend('10.0.0.1', 1), backend('10.0.0.3', 3)])),
    observedService(kept),
    observedService(gone),
  );
  const owner = { name: null, framework: null, fqdn: null };
  const owned = new Map([...observed.keys()].map((key) => [key, owner]));
  const plan = createDiff()(desiredOf(added, changed, kept), observed, {
    owned,
    inPool: () => true,
    adopt: false,
  });
  const rejected = [
    {
      app: '/bad',
      at: 'portDefinitions[0].labels.VIP_0',
      value: 'nocolon',
      reason: 'expected NAME:PORT or IP:PORT',
    },
  ];
  return {
    plan,
    declared: [],
    rejected,
    warnings: ['two labels clean to one name'],
    held: null,
    leftAlone: 0,
  };
}

test('the text diff groups by VIP, says why, and ends with a line that sums up', () => {
  expect(toText(reportOf(), painter(false))).toBe(
    [
      '+ my-service.marathon.l4lb.thisdcos.directory:5555 tcp  11.134.217.55:5555  wlc  /my-service',
      '    + 10.0.0.1:31000  weight 1  my-service.c9e1  running, no health check',
      '    + 10.0.0.2:31871  weight 0  my-service.d07a  running, health check failing',
      '',
      '~ web.marathon.l4lb.thisdcos.directory:80 tcp  11.225.37.143:80  rr  /web  scheduler wlc -> rr',
      '    ~ 10.0.0.1:1  weight 1 -> 0  task-10.0.0.1:1  being killed',
      '    - 10.0.0.3:3  weight 1                        no longer a backend of this VIP',
      '',
      '- 192.168.1.1:80 tcp  wlc  no app declares it any more',
      '    - 10.0.0.1:8  weight 1    no longer a backend of this VIP',
      '',
      '! rejected  /bad  portDefinitions[0].labels.VIP_0 = "nocolon": expected NAME:PORT or IP:PORT',
      '! warning  two labels clean to one name',
      '',
      '3 VIPs to change: 1 added, 1 changed, 1 removed, 1 kept; backends: 2 added, 1 changed, 2 removed, 1 kept.',
      '',
    ].join('\n'),
  );
});

test('without differences the diff is one line', () => {
  const plan = createDiff()(desiredOf(kept), tableOf(observedService(kept)), {
    owned: new Map([['tcp/11.0.0.9:80', { name: null, framework: null, fqdn: null }]]),
    inPool: () => true,
    adopt: false,
  });
  expect(
    toText({ plan, declared: [], rejected: [], warnings: [], held: null, leftAlone: 0 }, painter(false)),
  ).toBe('No differences: 1 VIP as desired.\n');
});

test('colours appear only on request', () => {
  expect(toText(reportOf(), painter(false))).not.toContain('\u001b');
  expect(toText(reportOf(), painter(true))).toContain('\u001b[32m+ my-service');
});

test('the connection limit of a backend is printed next to the reason of its weight', () => {
  const limited = backend('10.0.0.1', 31000, { upperThreshold: 100, lowerThreshold: 75 });
  const plan = createDiff()(desiredOf(service('11.0.0.1', 80, [limited])), tableOf(), {
    owned: new Map(),
    inPool: () => true,
    adopt: false,
  });
  const report = { plan, declared: [], rejected: [], warnings: [], held: null, leftAlone: 0 };
  expect(toText(report, painter(false))).toContain('running, no health check  at most 100 connections\n');
});

test('weights of a VIP with slow start are shown as labels have them, and as the kernel has them where it gives none such', () => {
  const slow = { slowStartSeconds: 30 };
  const want = [
    backend('10.0.0.1', 1, { weight: 100 }),
    backend('10.0.0.2', 2, { weight: 40, reason: 'slow start: 40 %' }),
    backend('10.0.0.3', 3, { weight: 100 }),
    backend('10.0.0.4', 4, { weight: 10, reason: 'slow start: 10 %' }),
    backend('10.0.0.5', 5, { weight: 0 }),
  ];
  const have = [
    backend('10.0.0.1', 1, { weight: 100 }),
    backend('10.0.0.2', 2, { weight: 30 }),
    backend('10.0.0.3', 3, { weight: 7 }),
    backend('10.0.0.5', 5, { weight: 100 }),
  ];
  const plan = createDiff()(
    desiredOf(service('11.0.0.1', 80, want, slow)),
    tableOf(observedService(service('11.0.0.1', 80, have))),
    { owned: new Map(), inPool: () => true, adopt: false },
  );
  const report = { plan, declared: [], rejected: [], warnings: [], held: null, leftAlone: 0 };
  const text = toText(report, painter(false));
  expect(text).toContain('  wlc  slow start 30 s  /app');
  const rows = ['weight 1 ', 'weight 0.3 -> 0.4', 'weight 7 -> 100 (kernel)', 'weight 0.1 ', 'weight 1 -> 0'];
  for (const [i, row] of rows.entries()) expect(text).toContain(`10.0.0.${i + 1}:${i + 1}  ${row}`);
  expect(toJson(report).services[0]).toMatchObject({
    slowStartSeconds: 30,
    backends: [{ weight: 100 }, { weight: 40 }, { weight: 100 }, { weight: 10 }, { weight: 0 }],
  });
});

test('the JSON has the documented keys, and the steps in the order in which they are made', () => {
  const document = JSON.parse(JSON.stringify(toJson(reportOf())));
  expect(document).toMatchObject({
    apiVersion: 'marathon-ipvs/v1',
    summary: { add: 1, change: 1, remove: 1, keep: 1 },
    declared: [],
    rejected: [
      {
        app: '/bad',
        at: 'portDefinitions[0].labels.VIP_0',
        value: 'nocolon',
        reason: 'expected NAME:PORT or IP:PORT',
      },
    ],
    warnings: ['two labels clean to one name'],
  });
  expect(document.services.find(({ op }: { op: string }) => op === 'add')).toEqual({
    op: 'add',
    name: 'my-service',
    framework: 'marathon',
    fqdn: 'my-service.marathon.l4lb.thisdcos.directory',
    protocol: 'tcp',
    address: '11.134.217.55',
    port: 5555,
    ...WLC,
    apps: ['/my-service'],
    adopted: false,
    reason: null,
    backends: [
      {
        op: 'add',
        address: '10.0.0.1',
        port: 31000,
        ...WEIGHT_1,
        app: '/app',
        task: 'my-service.c9e1',
        reason: 'running, no health check',
      },
      {
        op: 'add',
        address: '10.0.0.2',
        port: 31871,
        ...WEIGHT_1,
        weight: 0,
        app: '/app',
        task: 'my-service.d07a',
        reason: 'running, health check failing',
      },
    ],
  });
  expect(document.steps).toEqual([
    '-A -t 11.134.217.55:5555 -s wlc',
    '-a -t 11.134.217.55:5555 -r 10.0.0.1:31000 -m -w 1',
    '-a -t 11.134.217.55:5555 -r 10.0.0.2:31871 -m -w 0',
    '-E -t 11.225.37.143:80 -s rr',
    '-e -t 11.225.37.143:80 -r 10.0.0.1:1 -m -w 0',
    '-d -t 11.225.37.143:80 -r 10.0.0.3:3',
    '-D -t 192.168.1.1:80',
  ]);
});
