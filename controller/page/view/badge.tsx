import type { VNode } from 'preact';
import type { VipState } from '../../status/document.ts';
import { tone } from '../format.ts';

export function StateBadge({ state }: { readonly state: VipState }): VNode {
  return <span class={`badge ${tone(state)}`}>{state}</span>;
}
