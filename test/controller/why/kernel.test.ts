import { describe, expect, test } from '@jest/globals';
import type { ObservedService } from '../../../controller/model/kernel.ts';
import type { DesiredState } from '../../../controller/why/facts.ts';
import { checkKernel } from '../../../controller/why/stages/kernel.ts';
import { backend, desired, inKernel, vip } from './facts.ts';

const [FIRST, SECOND] = [backend('10.0.0.1'), backend('10.0.0.2')];
const verdict = (
  service: ObservedService | null,
  what: DesiredState = desired(),
  state = 'forwarding',
  reason: string | null = null,
) => checkKernel({ vip: vip({ state, reason }), desired: what, kernel: { service } });

describe('the kernel compared with the desired state', () => {
  test('passes if it has everything', () => {
    expect(verdict(inKernel(FIRST, SECOND))).toMatchObject([{ state: 'ok' }]);
  });

  test.each([
    ['a backend is missing', inKernel(FIRST), 'destination-missing', '10.0.0.2:31000'],
    ['a weight is 0', inKernel(FIRST, { ...SECOND, weight: 0 }), 'destination-weight', '10.0.0.2:31000'],
    [
      'another way to forward',
      inKernel(FIRST, { ...SECOND, forward: 'direct-route' }),
      'destination-forwarding',
      'direct-route',
    ],
    [
      'one that nobody declares',
      inKernel(FIRST, SECOND, backend('10.0.0.3')),
      'destination-unwanted',
      '10.0.0.3:31000',
    ],
  ])('%s', (_what, service, cause, proof) => {
    expect(verdict(service)).toMatchObject([
      { state: 'broken', cause, found: expect.stringContaining(proof) },
    ]);
  });

  test('a leaving backend of weight 0 is as desired', () => {
    expect(verdict(inKernel(FIRST, SECOND, backend('10.0.0.3', { weight: 0 })))).toMatchObject([
      { state: 'ok' },
    ]);
  });

  test('the service is missing: removed, refused, or not written in a dry run', () => {
    const dry = desired({ from: { kind: 'controller', url: '', dryRun: true } });
    expect(verdict(null)).toMatchObject([
      { cause: 'service-missing', fix: expect.stringContaining('reload') },
    ]);
    expect(verdict(null, desired({ from: { kind: 'sources' } }))).toMatchObject([
      { cause: 'service-missing', fix: expect.stringContaining('systemctl start') },
    ]);
    expect(verdict(null, dry)).toMatchObject([{ cause: 'dry-run' }]);
    expect(verdict(null, desired(), 'pending', '-A …: no such scheduler')).toMatchObject([
      { cause: 'write-failed', found: expect.stringContaining('no such scheduler') },
    ]);
  });

  test('IPVS is missing, or access is denied', () => {
    const kernel = (missing: boolean) =>
      checkKernel({ vip: vip(), desired: desired(), kernel: { error: 'no', missing } });
    expect(kernel(true)).toMatchObject([
      { cause: 'ipvs-missing', fix: expect.stringContaining('modprobe ip_vs') },
    ]);
    expect(kernel(false)).toMatchObject([
      { state: 'unknown', found: expect.stringContaining('run as root') },
    ]);
  });
});
