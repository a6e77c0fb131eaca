import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { examine } from '../../../controller/doctor/examine.ts';
import { doctorText } from '../../../controller/doctor/print-text.ts';
import { checkCodes, checkRow } from '../../../controller/doctor/table.ts';
import { painter } from '../../../controller/text/table.ts';
import { healthy } from './healthy.ts';

const page = readFileSync(new URL('../../../docs/doctor.md', import.meta.url), 'utf8');

describe('the table of checks', () => {
  test.each(checkCodes)('%s has a row in the documentation', (code) => {
    expect(page).toMatch(new RegExp(`^\\| [^|]*\`${code}\`[^|]* \\|`, 'm'));
  });

  test('what a check needs is a check', () => {
    for (const code of checkCodes)
      expect(checkCodes).toEqual(expect.arrayContaining([...checkRow(code).needs]));
  });
});

describe('a kernel without IPVS', () => {
  const [conntrack] = healthy.sysctls.filter(({ name }) => name === 'net.ipv4.vs.conntrack');
  if (conntrack === undefined) throw new Error('the healthy host has no such setting');
  const sick = {
    ...healthy,
    ipvs: { error: 'the kernel has no IPVS', missing: true },
    modules: [{ name: 'ip_vs', state: 'missing', why: 'it forwards', optional: false }],
    sysctls: [
      { ...conntrack, value: null, missing: true },
      { ...conntrack, name: 'net.ipv4.ip_forward', value: '0' },
    ],
    controller: null,
  } as const;
  const document = examine(sick, 0);

  test('is one thing to fix first, of which the others say that they come after it', () => {
    const after = document.findings.map(({ check, after: first }) => [check, first]);
    expect(Object.fromEntries(after)).toMatchObject({
      'module ip_vs': null,
      IPVS: 'module ip_vs',
      'sysctl net.ipv4.vs.conntrack': 'module ip_vs',
      'sysctl net.ipv4.ip_forward': null,
      controller: 'module ip_vs',
    });
    expect(doctorText(document, { paint: painter(false) })).toContain('\n      after: module ip_vs\n');
  });

  test('no finding is graver than its check may be', () => {
    const grave = ['ok', 'warning', 'problem'];
    for (const { code, state } of document.findings) {
      expect(grave.indexOf(state)).toBeLessThanOrEqual(grave.indexOf(checkRow(code).severity ?? 'ok'));
    }
  });
});

test('what is as wanted comes after nothing', () => {
  expect(examine(healthy, 0).findings.every(({ after }) => after === null)).toBe(true);
});
