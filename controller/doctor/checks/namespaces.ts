import { plural } from '../../status/words.ts';
import { type Found, fine } from '../document.ts';
import type { Facts } from '../facts.ts';

/** Whether the directory of `--netns-dir` and its files give network namespaces to keep VIPs in. */
export function checkNamespaces({ namespaces }: Pick<Facts, 'namespaces'>): Found[] {
  if (namespaces === null) return [];
  const { directory, missing, failure, found, refused } = namespaces;
  const code = 'network-namespaces';
  if (failure !== null) {
    return [
      {
        ...{ code, check: `directory ${directory}`, state: missing ? 'warning' : 'problem', found: failure },
        wanted: 'a directory of root, in which nobody else may write',
        why: 'no namespace gets VIPs, or changes of them are not seen, until it can be used (--netns-dir)',
        command: null,
      },
    ];
  }
  return [
    fine(code, `directory ${directory}`, plural(found, 'network namespace')),
    ...refused.map(
      ({ id, reason }): Found => ({
        ...{ code, check: `network namespace ${id}`, state: 'warning', found: reason },
        wanted: 'a network namespace, or the path of one',
        why: 'this file gives no namespace that gets VIPs',
        command: null,
      }),
    ),
  ];
}
