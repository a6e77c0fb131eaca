import { StatusError } from './types.ts';

type Labels = Readonly<Record<string, string>>;

/** A label selector in the form that a query has: `app=web,tier!=db,env in (a,b),!old,owner`. */
export function parseSelector(text: string): (labels: Labels) => boolean {
  const terms = text.split(/,(?![^(]*\))/).map((term) => term.trim());
  const tests = terms.filter((term) => term !== '').map(parseTerm);
  return (labels) => tests.every((test) => test(labels));
}

function parseTerm(term: string): (labels: Labels) => boolean {
  const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(term);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = list.split(',').map((value) => value.trim());
    return (labels) => values.includes(labels[key] ?? '\0') === (operator === 'in');
  }
  const equal = /^([^=!\s]+)\s*(==|=|!=)\s*(\S*)$/.exec(term);
  if (equal !== null) {
    const [, key = '', operator, value] = equal;
    return (labels) => (labels[key] === value) === (operator !== '!=');
  }
  const exists = /^(!?)\s*([^=!\s]+)$/.exec(term);
  if (exists === null) throw new StatusError(400, 'BadRequest', `unable to parse requirement: ${term}`);
  const [, not, key = ''] = exists;
  return (labels) => key in labels === (not === '');
}
