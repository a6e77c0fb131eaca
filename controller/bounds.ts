/**
 * How much a source may say. Whoever may deploy an app, or stands in the place of a master, must not be able to end this
 * process or take its time: a few kilobytes, zipped, can be millions of objects.
 *
 * A list that is over its bound is refused as a whole, and what was known stays: one that is cut short would look like apps
 * being deleted. An app or a task that is over one of its own is refused alone, and keeps what it last gave.
 */
export const BOUNDS = {
  /** Apps, pods or tasks of one list. */
  items: 200_000,
  /** Levels of objects and lists inside one another, of one app or task. */
  depth: 100,
  /** Values (texts, numbers, objects, keys…) of one app or task, its own tasks among them. */
  values: 1_000_000,
  /** Values of one list of them, and of a document that is no such list. */
  listValues: 30_000_000,
  documentValues: 4_000_000,
  /** Ports that one app declares, and that one of its tasks has. */
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
  /** Rejected items of one list that are told one by one; the rest is told as a number. */
  rejections: 100,
  /** Apps that events told of and that wait to be read; more become one read of everything. */
  waitingApps: 10_000,
  /** Host names of agents that are remembered with their addresses, and that are looked up at once. */
  hostNames: 20_000,
} as const;

/** A list or an answer that is over its bound. The message says which, and how much is accepted. */
export class OverBound extends Error {
  override readonly name = 'OverBound';
}

/** Where a value is nested too deep, or that it has too many values in it; null where it is within the bounds. */
export function overBound(json: unknown): { readonly at: string; readonly reason: string } | null {
  let values = 1;
  // A stack of its own: recursion is what deep values would break.
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

/** What is wrong with something that was not even parsed. */
export function tooManyValues(): string {
  return `has more than ${BOUNDS.values} values`;
}

/** An object or a list, and how one comes to it. */
interface Place {
  readonly value: Readonly<Record<string, unknown>>;
  readonly key: string;
  readonly up: Place | null;
  readonly depth: number;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** What a person looks for is near the top. */
const SHOWN_DEPTH = 6;

function pathText(place: Place): string {
  let text = '';
  for (let step: Place = place; step.up !== null; step = step.up) {
    if (step.depth > SHOWN_DEPTH) continue;
    const name = Array.isArray(step.up.value)
      ? `[${step.key}]`
      : step.up.up === null
        ? step.key
        : `.${step.key}`;
    text = name + text;
  }
  return text;
}
