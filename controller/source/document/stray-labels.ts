import type { FoundLabel, MarathonApp } from '../../marathon-json.ts';
import { isVipLabel, mayBeOurs, meaningOf, OPTION_KEYS } from '../../settings/label-keys.ts';
import { nearest } from '../../suggestion.ts';
import { isTaskLabel } from './task-labels.ts';

/** How many values are looked at: a definition has some dozens, and a task of it a dozen. */
const MOST_VALUES = 10_000;
const DEEPEST = 16;
/** How many labels are remembered of one app, and how many of them are reported. */
const MOST_FOUND = 500;
const MOST_REPORTED = 10;
const LONGEST_PATH = 120;

/**
 * Finds every label in a definition that was meant for this program, wherever it stands: as a key of any object, as
 * `{"key": "VIP_0", "value": …}` or as `VIP_0=…` in a parameter for Docker. Null where there is none.
 */
export function findLabels(json: unknown): readonly FoundLabel[] | null {
  if (typeof json !== 'object' || json === null) return null;
  const finder = new Finder();
  finder.visit(json, tasksLast(json), '', 0);
  return finder.found.length === 0 ? null : finder.found;
}

class Finder {
  readonly found: FoundLabel[] = [];
  #left = MOST_VALUES;

  /** Paths are made only where they are of use: most values are neither a label nor a list. */
  visit(value: object, keys: readonly string[], at: string, depth: number): void {
    const isList = Array.isArray(value);
    if (!isList && 'key' in value) this.#pair(value, at);
    for (const key of keys) {
      if (this.#left <= 0) return;
      this.#left -= 1;
      const inner: unknown = Reflect.get(value, key);
      if (!isList && mayBeOurs(key)) this.#add(at, pathOf(at, key, false), key, inner);
      if (typeof inner === 'object' && inner !== null && depth < DEEPEST) {
        this.visit(inner, Object.keys(inner), pathOf(at, key, isList), depth + 1);
      }
    }
  }

  #pair(pair: object, at: string): void {
    const [key, value] = [Reflect.get(pair, 'key'), Reflect.get(pair, 'value')];
    if (typeof key !== 'string' || typeof value !== 'string') return;
    this.#add(at, `${at}.key`, key, value);
    const [, name, rest] = (DOCKER_LABEL.test(key) && /^([^=]{1,100})=(.*)$/s.exec(value)) || [];
    if (name !== undefined) this.#add(at, `${at}.value`, name, rest);
  }

  #add(parent: string, path: string, key: string, value: unknown): void {
    if (this.found.length >= MOST_FOUND) return;
    const means = meaningOf(key, value, LABELS.test(parent) ? 'labels' : 'others');
    if (means !== null) this.found.push({ parent, path: shorten(path), key, means });
  }
}

/** Options of `docker run` that set a label or a variable. */
const DOCKER_LABEL = /^(label|env|l|e)$/i;
const LABELS = /labels?(\[\d+\])?$/i;

function pathOf(at: string, key: string, inList: boolean): string {
  if (inList) return `${at}[${key}]`;
  const step = shorten(key);
  return at === '' ? step : `${at}.${step}`;
}

/** An app may have thousands of tasks, which must not be all that is looked at. */
function tasksLast(json: object): readonly string[] {
  const isLast = (key: string) => Number(key === 'tasks' || key === 'instances');
  return Object.keys(json).toSorted((a, b) => isLast(a) - isLast(b));
}

/** What an app or pod uses of the labels in its JSON, and why it does not use the others. */
export interface LabelUse {
  /** Where ports that count are declared: `portDefinitions[0]`; of labels of the app itself, `labels.vip_PORT0`. */
  readonly ports: ReadonlySet<string>;
  /** Why one that stands in no such port is not used: `a VIP label belongs on a port, …`. */
  readonly reason: (label: FoundLabel) => string;
}

/**
 * A warning for each label that has no effect where it stands, with its path; for some of them where there are many. Those
 * of ports that count are left to their reader.
 */
export function strayLabels(
  found: readonly FoundLabel[] | null | undefined,
  { ports, reason }: LabelUse,
): readonly string[] {
  const stray = (found ?? []).filter(({ parent, path }) => {
    const port = parent.endsWith('.labels') ? parent.slice(0, -'.labels'.length) : null;
    return !ports.has(path) && (port === null || !ports.has(port));
  });
  const warnings = stray
    .slice(0, MOST_REPORTED)
    .map((label) => `${label.path} is not used: ${reason(label)}`);
  const more = stray.length - warnings.length;
  if (more > 0) warnings.push(`${more} more labels that look like VIP labels are not used`);
  return warnings;
}

/** A list of ports as it was given, and its path. */
type PortList = readonly [string, readonly Pick<MarathonApp, 'labels'>[] | null | undefined];

/** Warns of labels of ours that are null: null removes a label, which its author may not know. At most `MOST_REPORTED`. */
export function nullLabels(lists: readonly PortList[]): readonly string[] {
  const paths = lists.flatMap(([list, ports]) =>
    (ports ?? []).flatMap(({ labels }, index) =>
      Object.entries(labels ?? {})
        .filter(([key, value]) => value === null && (isVipLabel(key) || OPTION_KEYS.includes(key)))
        .map(([key]) => `${list}[${index}].labels.${key}`),
    ),
  );
  return paths.slice(0, MOST_REPORTED).map((path) => `${path} is null, which is the same as no label`);
}

/**
 * Where labels that stand at `parent` were meant to stand: the one of `homes` (`portDefinitions[].labels`) that this is but for
 * its spelling, with its indices. Null where it is none of them, or is one as it stands.
 */
export function meantPlace(parent: string, homes: readonly string[]): string | null {
  const steps = parent.split('.');
  for (const home of homes) {
    const wanted = home.split('.');
    const meant = wanted.map((step, at) => meantStep(steps[at] ?? '', step));
    if (wanted.length !== steps.length || meant.includes(null)) continue;
    const path = meant.join('.');
    return path === parent ? null : path;
  }
  return null;
}

/** `PortDefinition[0]` and `portDefinitions[]` give `portDefinitions[0]`; null where they have nothing in common. */
function meantStep(written: string, wanted: string): string | null {
  const [, name = '', index = ''] = /^(.*?)(\[\d+\])?$/s.exec(written) ?? [];
  const known = wanted.replace('[]', '');
  if ((index !== '') !== (known !== wanted)) return null;
  return nearest(name, [known]) === null ? null : known + index;
}

/** Why a label that stands on no port at all is not used. `home`: where those are, for a person. */
export function wrongPlace({ parent, key, means }: FoundLabel, home: string): string {
  if (isTaskLabel(key) && meantPlace(parent, ['labels']) !== null) return didYouMeanPlace('labels');
  if (means === 'ipvs') return `an IPVS label belongs beside the VIP label, ${home}`;
  const old = parent === 'labels' && isTaskLabel(key);
  const instead = old ? '; the old form is vip_PORT0 with the value tcp://NAME:PORT or udp://NAME:PORT' : '';
  return `a VIP label belongs ${home}${instead}`;
}

/** Why a label is not used that stands beside its place. */
export function didYouMeanPlace(place: string): string {
  return `did you mean ${place}?`;
}

function shorten(text: string): string {
  return text.length <= LONGEST_PATH ? text : `${text.slice(0, LONGEST_PATH)}…`;
}
