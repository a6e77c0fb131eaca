import htm from 'htm';
import { type ComponentChildren, h, type VNode } from 'preact';

/** Templates become elements in the browser: there is no build step that could compile another notation. */
export const html = htm.bind(h) as (strings: TemplateStringsArray, ...values: unknown[]) => VNode;

export type Children = ComponentChildren;
