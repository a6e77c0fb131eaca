import { plural } from '../../status/format.ts';
import { type Found, fine } from '../document.ts';
import type { Facts } from '../facts.ts';

/** Checks that the directory of `--netns-dir` can be used, and that its files lead to network namespaces. */
export function checkNamespaces({ namespaces }: Pick<Facts, 'namespaces'>): Found[] {
  if (namespaces === null) return [];
  const { directory, missing, failure, found, refused } = namespaces;
  const code = 'network-namespaces';
  if (failure !== null) {
    return [
      {
        ...{ code, check: `directory ${directory}`, state: missing ? 'warning' : 'problem', found: failure },
        wanted: 'a directory that root owns and nobody else may write to',
        why: 'until it can be used (--netns-dir), no namespace gets VIPs, or new and removed ones are not noticed',
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
        why: 'this file leads to no namespace that could get VIPs',
        command: null,
      }),
    ),
  ];
}
