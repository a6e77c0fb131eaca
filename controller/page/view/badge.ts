import type { VNode } from 'preact';
import type { VipState } from '../../status/document.ts';
import { tone } from '../format.ts';
import { html } from '../html.ts';

export function StateBadge({ state }: { readonly state: VipState }): VNode {
  return html`<span class=${`badge ${tone(state)}`}>${state}</span>`;
}
