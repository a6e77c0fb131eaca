import type { FoundLabel, MarathonApp } from '../../input/marathon-json.ts';
import { isVipLabel, mayBeOurs, meaningOf, OPTION_KEYS } from '../../settings/label-keys.ts';
import { withLookAlikes } from '../../settings/look-alikes.ts';
import { nearest } from '../../text/suggestion.ts';
import { isTaskLabel } from './task-labels.ts';

/** How many JSON values are examined: a definition has a few dozen, and each task a dozen. */
const MAX_VALUES = 10_000;
const MAX_DEPTH = 16;
/** How many labels are collected per app, and how many of them are reported. */
const MAX_FOUND = 500;
const MAX_REPORTED = 10;
const MAX_PATH_LENGTH = 120;

/**
 * Finds every label in a definition that looks meant for this program, wherever it is: as a key of any object, as
 * `{"key": "VIP_0", "value": …}`, or as `VIP_0=…` in a Docker parameter. Returns null when there are none.
 */
export function findLabels(json: unknown): readonly FoundLabel[] | null {
  if (typeof json !== 'object' || json === null) return null;
  const finder = new Finder();
  finder.visit(json, tasksLast(json), '', 0);
  return finder.found.length === 0 ? null : finder.found;
}

class Finder {
  readonly found: FoundLabel[] = [];
  #left = MAX_VALUES;

  /** Builds paths only where needed: most values are neither labels nor lists. */
  visit(value: object, keys: readonly string[], at: string, depth: number): void {
    const isList = Array.isArray(value);
    if (!isList && 'key' in value) this.#pair(value, at);
    for (const key of keys) {
      if (this.#left <= 0) return;
      this.#left -= 1;
      const inner: unknown = Reflect.get(value, key);
      if (!isList && mayBeOurs(key)) this.#add(at, pathOf(at, key, false), key, inner);
      if (typeof inner === 'object' && inner !== null && depth < MAX_DEPTH) {
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
    if (this.found.length >= MAX_FOUND) return;
    const means = meaningOf(key, value, LABELS.test(parent) ? 'labels' : 'others');
    if (means !== null) this.found.push({ parent, path: shorten(path), key, means });
  }
}

/** Options of `docker run` that set a label or an environment variable. */
const DOCKER_LABEL = /^(label|env|l|e)$/i;
const LABELS = /labels?(\[\d+\])?$/i;

function pathOf(at: string, key: string, inList: boolean): string {
  if (inList) return `${at}[${key}]`;
  const step = shorten(key);
  return at === '' ? step : `${at}.${step}`;
}

/** Thousands of tasks must not use up the limit on examined values before the definition. */
function tasksLast(json: object): readonly string[] {
  const isLast = (key: string) => Number(key === 'tasks' || key === 'instances');
  return Object.keys(json).toSorted((a, b) => isLast(a) - isLast(b));
}

/** Which labels an app or pod uses, and why it does not use the others. */
export interface LabelUse {
  /** Paths of the declared ports: `portDefinitions[0]`, or `labels.vip_PORT0` for a label of the app itself. */
  readonly ports: ReadonlySet<string>;
  /** Why a label outside of these ports is not used: `a VIP label belongs on a port, …`. */
  readonly reason: (label: FoundLabel) => string;
}

/**
 * Warns of each label that has no effect where it is, up to a limit. Labels of declared ports are checked by the reader
 * of the port.
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
    .slice(0, MAX_REPORTED)
    .map((label) => `${label.path} is not used: ${withLookAlikes(reason(label), label.key)}`);
  const more = stray.length - warnings.length;
  if (more > 0) warnings.push(`${more} more labels that look like VIP labels are not used`);
  return warnings;
}

/** A list of ports in the JSON, and its path. */
type PortList = readonly [string, readonly Pick<MarathonApp, 'labels'>[] | null | undefined];

/** Warns of known labels whose value is null, which Marathon treats as no label. At most `MAX_REPORTED` warnings. */
export function nullLabels(lists: readonly PortList[]): readonly string[] {
  const paths = lists.flatMap(([list, ports]) =>
    (ports ?? []).flatMap(({ labels }, index) =>
      Object.entries(labels ?? {})
        .filter(([key, value]) => value === null && (isVipLabel(key) || OPTION_KEYS.includes(key)))
        .map(([key]) => `${list}[${index}].labels.${key}`),
    ),
  );
  return paths.slice(0, MAX_REPORTED).map((path) => `${path} is null, which is the same as no label`);
}

/**
 * The path that `parent` misspells: the entry of `homes` (`portDefinitions[].labels`) that it resembles, with its
 * indices. Null when it resembles none, or is spelled correctly.
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

/** `PortDefinition[0]` and `portDefinitions[]` give `portDefinitions[0]`; null when the names are unrelated. */
function meantStep(written: string, wanted: string): string | null {
  const [, name = '', index = ''] = /^(.*?)(\[\d+\])?$/s.exec(written) ?? [];
  const known = wanted.replace('[]', '');
  if ((index !== '') !== (known !== wanted)) return null;
  return nearest(name, [known]) === null ? null : known + index;
}

/** Why a label that is not on a port is not used. `home` describes the right place. */
export function wrongPlace({ parent, key, means }: FoundLabel, home: string): string {
  if (isTaskLabel(key) && meantPlace(parent, ['labels']) !== null) return didYouMeanPlace('labels');
  if (means === 'ipvs') return `an IPVS label belongs next to the VIP label, ${home}`;
  const old = parent === 'labels' && isTaskLabel(key);
  const instead = old ? '; the old form is vip_PORT0 with the value tcp://NAME:PORT or udp://NAME:PORT' : '';
  return `a VIP label belongs ${home}${instead}`;
}

/** Why a label under a misspelled key is not used. */
export function didYouMeanPlace(place: string): string {
  return `did you mean ${place}?`;
}

function shorten(text: string): string {
  return text.length <= MAX_PATH_LENGTH ? text : `${text.slice(0, MAX_PATH_LENGTH)}…`;
}
