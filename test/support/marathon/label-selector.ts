/** The `label=` filter of `GET /v2/apps`: `a`, `a==b`, `a!=b`, `a in (x,y)`, `a notin (x,y)`, joined by commas. */

import { isObject } from './json.ts';

type Selector = (labels: unknown) => boolean;

export function labelSelector(text: string): Selector {
  const terms = text.match(/[^,()]+(?:\([^)]*\))?/g) ?? [];
  const selectors = terms.map((term) => oneTerm(term.trim()));
  return (labels) => selectors.every((selector) => selector(labels));
}

function oneTerm(term: string): Selector {
  const set = /^(\S+)\s+(in|notin)\s*\((.*)\)$/.exec(term);
  if (set) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return (labels) => values.includes(labelValue(labels, key) ?? '') === (operator === 'in');
  }
  const equation = /^(\S+?)\s*(==|!=)\s*(.*)$/.exec(term);
  if (equation) {
    const [, key = '', operator, value] = equation;
    return (labels) => (labelValue(labels, key) === value) === (operator === '==');
  }
  return (labels) => labelValue(labels, term) !== undefined;
}

function labelValue(labels: unknown, key: string): string | undefined {
  const value = isObject(labels) ? labels[key] : undefined;
  return value === undefined ? undefined : String(value);
}
