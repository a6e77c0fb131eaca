import type { BackendDocument, VipDocument } from '../status/document.ts';
import { inRotation } from '../status/figures.ts';
import { endpoint } from './format.ts';

/** The backends of a VIP, with those that need attention first: they are few among hundreds. */
export function attentionFirst({
  backends,
  spread,
}: Pick<VipDocument, 'backends' | 'spread'>): readonly BackendDocument[] {
  const named = spread?.uneven ? [spread.most.backend, spread.least.backend] : [];
  const needsAttention = (backend: BackendDocument) =>
    !inRotation(backend) || backend.decision !== null || named.includes(endpoint(backend));
  return [...backends.filter(needsAttention), ...backends.filter((backend) => !needsAttention(backend))];
}
