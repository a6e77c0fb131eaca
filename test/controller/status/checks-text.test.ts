import { describe, expect, test } from '@jest/globals';
import { createStatusBoard } from '../../../controller/status/board.ts';
import { type Check, DEFAULT_LIMITS, healthz } from '../../../controller/status/checks.ts';
import { checksText } from '../../../controller/status/checks-text.ts';

const clock = { epoch: () => 0, monotonic: () => 0 };

describe('the text', () => {
  const checks: readonly Check[] = [
    { name: 'kernel', ok: false, message: 'no pass yet' },
    { name: 'loop', ok: true, message: null },
    { name: 'source file=a', ok: true, message: 'stale, last read 9 s ago' },
  ];
  const all = checks.map((check) => ({ ...check, ok: true, message: null }));

  test('of passed checks is just ok', () => {
    expect(checksText('readyz', all, { exclude: [], verbose: false })).toEqual({ ok: true, text: 'ok' });
  });

  test('lists every check if one failed', () => {
    expect(checksText('readyz', checks, { exclude: [], verbose: false })).toEqual({
      ok: false,
      text: [
        '[-]kernel failed: no pass yet',
        '[+]loop ok',
        '[+]source file=a ok: stale, last read 9 s ago',
        'readyz check failed',
      ].join('\n'),
    });
  });

  test('shows excluded checks, and names that match none', () => {
    expect(checksText('readyz', checks, { exclude: ['kernel', 'no such'], verbose: true })).toEqual({
      ok: true,
      text: [
        '[+]kernel excluded: ok: no pass yet',
        '[+]loop ok',
        '[+]source file=a ok: stale, last read 9 s ago',
        'warn: some health checks cannot be excluded: no matches for "no such"',
        'readyz check passed',
      ].join('\n'),
    });
  });

  test('lists checks by name', () => {
    const names = healthz(
      createStatusBoard({ sources: ['file=a', 'file=b'], dryRun: false, clock }).current(),
      0,
      DEFAULT_LIMITS,
    ).map(({ name }) => name);
    expect(names).toEqual([...names].sort());
    expect(names).toContain('loop');
    expect(names).toContain('kernel');
  });
});
