import { expect, test } from '@jest/globals';
import { attentionFirst } from '../../../controller/page/backends.ts';
import type { BackendDocument, VipDocument } from '../../../controller/status/document.ts';
import { documentOf } from '../status/status-world.ts';

const [vip] = documentOf().vips;
const [sample] = vip?.backends ?? [];
const backend = (port: number, over: Partial<BackendDocument> = {}): BackendDocument => ({
  ...(sample as BackendDocument),
  address: '10.0.0.1',
  port,
  ...over,
});
const decision: BackendDocument['decision'] = {
  ...{ rule: 'slow start', since: '2026-01-01T00:00:00.000Z', reason: null },
  ...{ endsWhen: 'it has its full weight', endsAt: null },
};
const share = (port: number) => ({ backend: `10.0.0.1:${port}`, connections: 1, ofShare: 1 });
const spread = (uneven: boolean): VipDocument['spread'] => ({
  ...{ since: '2026-01-01T00:00:00.000Z', connections: 100, backends: 5, uneven },
  ...{ most: share(4), least: share(2) },
});

test('backends that are out of rotation, subject to a decision, or uneven come first, each in order', () => {
  const backends = [
    backend(1),
    backend(2),
    backend(3, { weight: 0 }),
    backend(4),
    backend(5, { decision }),
    backend(6, { inKernel: false }),
  ];
  const ports = (of: VipDocument['spread']) =>
    attentionFirst({ backends, spread: of }).map(({ port }) => port);
  expect(ports(null)).toEqual([3, 5, 6, 1, 2, 4]);
  expect(ports(spread(false))).toEqual([3, 5, 6, 1, 2, 4]);
  expect(ports(spread(true))).toEqual([2, 3, 4, 5, 6, 1]);
});
