/**
 * Bounds of what a source may send. Whoever may deploy an app, or pretends to be a master, must not be able to crash or stall
 * this process: a few compressed kilobytes can be millions of objects.
 *
 * A list over its bound is refused as a whole and the last state stays, since a list cut short would look like deleted apps.
 * An app or task over a bound of its own is refused alone and keeps its last good state.
 */
export const BOUNDS = {
  /** Apps, pods or tasks in one list. */
  items: 200_000,
  /** Nesting levels of one app or task. */
  depth: 100,
  /** Values (texts, numbers, objects, keys…) of one app with its tasks, or of one task. */
  values: 1_000_000,
  /** Values of one list, and of any other document. */
  listValues: 30_000_000,
  documentValues: 4_000_000,
  /** Ports of one app, and of one task. */
  ports: 1_000,
  /** Labels of one port, and of one app. */
  labels: 1_000,
  /** Characters of the text of a label. */
  labelLength: 65_536,
  /** Characters of an id, of the key of a label, and of the list of a port's protocols. */
  nameLength: 1_024,
  /** VIP labels of one app. */
  vips: 1_000,
  /** Tasks of one app. */
  tasks: 20_000,
  /** Backends of all VIPs of one app: VIPs times the endpoints of its tasks. */
  backends: 100_000,
  /** IP addresses of one task in one network. */
  addresses: 1_000,
  /** Rejected items of one list that are reported one by one; the rest is reported as a number. */
  rejections: 100,
  /** Apps that wait to be read after events; more of them become one read of everything. */
  waitingApps: 10_000,
  /** Host names of agents that are remembered with their addresses, and that are looked up at a time. */
  hostNames: 20_000,
} as const;

/** A list or an answer over its bound. The message names it and the bound. */
export class OverBound extends Error {
  override readonly name = 'OverBound';
}

/** Where a value is nested too deep, or that it has too many values; null when it is within the bounds. */
export function overBound(json: unknown): { readonly at: string; readonly reason: string } | null {
  let values = 1;
  // An explicit stack, since deep values would break a recursion.
  const stack: Place[] = isObject(json) ? [{ value: json, key: '', up: null, depth: 1 }] : [];
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    const { value, depth } = place;
    if (depth > BOUNDS.depth)
      return { at: pathText(place), reason: `nested deeper than ${BOUNDS.depth} levels` };
    for (const key of Object.keys(value)) {
      const child = value[key];
      values += 1;
      if (isObject(child)) stack.push({ value: child, key, up: place, depth: depth + 1 });
    }
    if (values > BOUNDS.values) return { at: '', reason: tooManyValues() };
  }
  return null;
}

/** The reason for a document that was not parsed, since it has too many values. */
export function tooManyValues(): string {
  return `has more than ${BOUNDS.values} values`;
}

/** An object or list, and the path to it. */
interface Place {
  readonly value: Readonly<Record<string, unknown>>;
  readonly key: string;
  readonly up: Place | null;
  readonly depth: number;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Only the first levels of a path are shown. */
const MAX_SHOWN_DEPTH = 6;

function pathText(place: Place): string {
  let text = '';
  for (let step: Place = place; step.up !== null; step = step.up) {
    if (step.depth > MAX_SHOWN_DEPTH) continue;
    const name = Array.isArray(step.up.value)
      ? `[${step.key}]`
      : step.up.up === null
        ? step.key
        : `.${step.key}`;
    text = name + text;
  }
  return text;
}
