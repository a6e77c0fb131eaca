import type { LabelSelector } from '../../kubernetes/marathon-app.ts';

/** Stands for a selector that demands no label of one value. */
const ANY = '';

/** The one label of a namespace by which what a selector fits is looked up, so that a change concerns a few of thousands. */
export function anchorOf(namespace: string, { matchLabels = {} }: LabelSelector): string {
  const [first] = Object.entries(matchLabels);
  return `${namespace} ${first === undefined ? ANY : `${first[0]}=${first[1]}`}`;
}

/** All anchors under which something with these labels may be looked up. */
export function anchorsOf(namespace: string, labels: Readonly<Record<string, string>>): readonly string[] {
  return [ANY, ...Object.entries(labels).map(([key, value]) => `${key}=${value}`)].map(
    (anchor) => `${namespace} ${anchor}`,
  );
}
