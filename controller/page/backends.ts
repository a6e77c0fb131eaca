import type { BackendDocument, VipDocument } from '../status/document.ts';
import { inRotation } from '../status/figures.ts';
import { endpoint } from './format.ts';

/** The backends of a VIP: those first that a person looks for, which are few among hundreds. */
export function oddFirst({
  backends,
  spread,
}: Pick<VipDocument, 'backends' | 'spread'>): readonly BackendDocument[] {
  const named = spread?.uneven ? [spread.most.backend, spread.least.backend] : [];
  const isOdd = (backend: BackendDocument) =>
    !inRotation(backend) || backend.decision !== null || named.includes(endpoint(backend));
  return [...backends.filter(isOdd), ...backends.filter((backend) => !isOdd(backend))];
}
