import { expect, test } from '@jest/globals';
import type { Step } from '../../../controller/model/kernel.ts';
import { type LastRules, withoutLastInRotation } from '../../../controller/plan/last-in-rotation.ts';
import { backend, service, WEIGHT_1 } from '../../support/builders.ts';
import { observedService, tableOf } from '../../support/observed.ts';

const KEY = 'tcp/11.0.0.1:80';
const at = (...hosts: readonly number[]) =>
  service(
    '11.0.0.1',
    80,
    hosts.map((host) => backend(`10.0.0.${host}`, 80)),
  );
const remove = (host: number): Step => ({
  op: 'remove-backend',
  service: { protocol: 'tcp', address: '11.0.0.1', port: 80 },
  backend: { address: `10.0.0.${host}`, port: 80 },
});
const empty = (host: number): Step => ({
  op: 'update-backend',
  service: { protocol: 'tcp', address: '11.0.0.1', port: 80 },
  backend: { address: `10.0.0.${host}`, port: 80, ...WEIGHT_1, weight: 0 },
});
const rules = (hosts: readonly number[], what: Partial<LastRules> = {}): LastRules => ({
  table: tableOf(observedService(at(...hosts))),
  short: new Set([KEY]),
  named: () => false,
  lives: () => false,
  ...what,
});

test('all backends are removed if the replacements were added', () => {
  const steps = [remove(1), remove(2)];
  expect(withoutLastInRotation(steps, rules([1, 2], { short: new Set() }))).toEqual(steps);
});

test('what another VIP lacks keeps nothing here', () => {
  const short = new Set(['tcp/11.0.0.2:80']);
  expect(withoutLastInRotation([remove(1)], rules([1], { short }))).toEqual([remove(1)]);
});

test('all are removed if another backend stays in rotation', () => {
  const steps = [remove(1), empty(2)];
  expect(withoutLastInRotation(steps, rules([1, 2, 3]))).toEqual(steps);
});

test('one of those that would all go stays, and only one', () => {
  expect(withoutLastInRotation([remove(1), remove(2), remove(3)], rules([1, 2, 3]))).toEqual([
    remove(2),
    remove(3),
  ]);
});

test('the one that stays is one whose task lives', () => {
  const lives = (endpoint: string) => endpoint === '10.0.0.2:80';
  expect(withoutLastInRotation([remove(1), empty(2), remove(3)], rules([1, 2, 3], { lives }))).toEqual([
    remove(1),
    remove(3),
  ]);
});

test('one whose end a source reported by name never stays, even as the last', () => {
  const named = (endpoint: string) => endpoint === '10.0.0.1:80';
  expect(withoutLastInRotation([remove(1)], rules([1], { named }))).toEqual([remove(1)]);
  expect(withoutLastInRotation([remove(1), remove(2)], rules([1, 2], { named }))).toEqual([remove(1)]);
});

test('one of weight 0 is not in rotation: it goes, and does not count', () => {
  const table = tableOf(
    observedService(
      service('11.0.0.1', 80, [backend('10.0.0.1', 80, { weight: 0 }), backend('10.0.0.2', 80)]),
    ),
  );
  expect(withoutLastInRotation([remove(1), remove(2)], rules([], { table }))).toEqual([remove(1)]);
});
