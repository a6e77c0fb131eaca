import htm from 'htm';
import { type ComponentChildren, h, type VNode } from 'preact';
import { shown, shownProps } from './shown.ts';

/** Templates become elements in the browser: there is no build step that could compile another notation. */
export const html = htm.bind(element) as (strings: TemplateStringsArray, ...values: unknown[]) => VNode;

export type Children = ComponentChildren;

type Arguments = Parameters<typeof h>;

function element(type: Arguments[0], props: Arguments[1], ...children: ComponentChildren[]): VNode {
  return h(type, shownProps(props) as Arguments[1], ...(children.map(shown) as ComponentChildren[])) as VNode;
}
