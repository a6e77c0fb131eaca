import { expect, test } from '@jest/globals';
import { examine } from '../../../controller/doctor/examine.ts';
import { controller, healthy } from './healthy.ts';

const vip = (scheduler: string, backends: number) => ({
  id: `tcp/11.0.0.1:${backends}`,
  name: 'web',
  address: '11.0.0.1',
  scheduler,
  backends: Array.from({ length: backends }, (_, i) => ({ address: '10.0.0.5', port: 31_000 + i })),
});

function found(kernelRelease: string, ...vips: readonly ReturnType<typeof vip>[]): string | undefined {
  const { findings } = examine({ ...healthy, kernelRelease, controller: { ...controller, vips } }, 0);
  const finding = findings.find(({ check }) => check === 'spread over backends');
  if (finding !== undefined) expect(finding.state).toBe('ok');
  return finding?.found;
}

test('a scheduler that goes by the kernel’s list is told of, with the one that spreads best', () => {
  expect(found('6.1.0-13-amd64', vip('wlc', 2), vip('rr', 3), vip('mh', 4))).toMatch(
    /^2 VIPs with rr, wlc: .*`twos`.*--default-scheduler/,
  );
  expect(found('5.10.0', vip('wlc', 2))).toMatch(/needs Linux 5\.13/);
});

test('nothing is said where there is no choice, or another scheduler', () => {
  expect(found('6.1.0-13-amd64', vip('wlc', 1), vip('sh', 4), vip('twos', 4))).toBeUndefined();
});
