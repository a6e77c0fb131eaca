import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { crdText } from '../../../controller/kubernetes/crd.ts';

test('deploy/kubernetes/base/crd.yaml is up to date with `npm run crd`', () => {
  const file = new URL('../../../deploy/kubernetes/base/crd.yaml', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(crdText());
});
