/** Whether a probe failed for no fault of this host, by what clients' connections and other probes show. */

import { describe, expect, test } from '@jest/globals';
import { Agents, isHostHealthy, type Window } from '../../../controller/eject/agents.ts';

const [DEAD, ALIVE] = ['10.0.0.1', '10.0.0.2'];
const READ_MS = 200;
/** A probe of two attempts, beside readings from 0 on. */
const PROBE: Window = { from: 1_600, to: 2_800 };

/** Readings every 200 ms that show answers of one agent, apart from those that began in these times. */
function seen(...silences: readonly Window[]): Agents {
  const agents = new Agents();
  for (let from = 0; from < PROBE.to; from += READ_MS) {
    const isSilent = silences.some((silence) => from >= silence.from && from < silence.to);
    agents.recordAnswers({ from, to: from + READ_MS }, new Set(isSilent ? [] : [ALIVE]));
  }
  agents.recordProbe(DEAD, ['timed out', 'timed out'], PROBE.from, PROBE.to);
  return agents;
}

function isProven(agents: Agents, probed: readonly string[] = []): boolean {
  return agents.verdict(DEAD, PROBE, PROBE.to, probed).isProven;
}

describe('a failed probe is the backend’s fault', () => {
  test('where another agent answered all along', () => {
    expect(isProven(seen())).toBe(true);
  });

  test('also where no client happened to be answered at one reading of the probe', () => {
    expect(isProven(seen({ from: 1_800, to: 2_000 }))).toBe(true);
  });

  test('and not if no agent answered for longer', () => {
    expect(isProven(seen({ from: 1_800, to: 2_200 }))).toBe(false);
  });

  test('nor where nobody answered at any reading before the probe, in which this host may have lost what it waited for', () => {
    for (let from = 1_000; from < PROBE.from; from += READ_MS)
      expect(isProven(seen({ from, to: from + READ_MS }))).toBe(false);
  });

  test('nor if no agent answers any more when the probe ends', () => {
    expect(isProven(seen({ from: 1_900, to: 2_800 }))).toBe(false);
  });

  test('where an agent that was probed at the same time answers', () => {
    const agents = seen({ from: 0, to: PROBE.to });
    expect(isProven(agents)).toBe(false);
    agents.recordProbe(ALIVE, ['connected', 'connected'], PROBE.from, PROBE.from + 201);
    expect(isProven(agents)).toBe(true);
  });

  test('and not while so many others are being probed that most may fail', () => {
    expect(isProven(seen(), ['10.0.0.3'])).toBe(false);
    expect(isProven(seen(), [ALIVE])).toBe(false);
  });
});

test('what is not proven makes this host blind until something is, or nothing is open', () => {
  const agents = seen({ from: 0, to: PROBE.to });
  agents.recordVerdict(agents.verdict(DEAD, PROBE, PROBE.to, []), 2_800);
  agents.recordVerdict(agents.verdict(DEAD, PROBE, PROBE.to, []), 4_000);
  expect(agents.blind).toEqual({ since: 2_800, failing: 1, answering: 0 });
  agents.recordVerdict(null, 5_000);
  expect(agents.blind).toBeNull();
});

describe('which host is the sick one', () => {
  test.each([
    ['a', 'b', true],
    ['a', '', false],
    ['a b', 'c', false],
    ['a b', 'c d', true],
    ['a b', 'a b c', false],
  ])('where %p fail and %p answer, this host is well: %p', (fail, answer, isHealthy) => {
    const of = (text: string) => new Set(text.split(' ').filter((agent) => agent !== ''));
    expect(isHostHealthy(of(fail), of(answer))).toBe(isHealthy);
  });
});
