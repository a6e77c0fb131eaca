import { messageOf } from '../errors.ts';
import { isRecord, shown } from '../input/rejection.ts';
import { objectKey } from './resources.ts';

/** An object of a list or a watch that cannot be read. It does not stop the others of its kind. */
export interface Unread {
  /** `namespace/name`; null when it lacks one of them. */
  readonly key: string | null;
  /** What is wrong with it. */
  readonly reason: string;
}

/** Describes an object that `error` kept from being read. */
export function unreadOf(json: unknown, error: unknown): Unread {
  const metadata = isRecord(json) && isRecord(json['metadata']) ? json['metadata'] : {};
  const { namespace, name } = metadata;
  const isNamed =
    typeof namespace === 'string' && namespace !== '' && typeof name === 'string' && name !== '';
  return { key: isNamed ? objectKey({ namespace, name }) : null, reason: messageOf(error) };
}

/** `EndpointSlice shop/web-1`, or `EndpointSlice without a name`. */
export function unreadName(kind: string, { key }: Unread): string {
  return `${kind} ${key === null ? 'without a name' : shown(key)}`;
}

/** An unread object, as seen by a process that follows its kind. */
export interface UnreadObject extends Unread {
  /** Whether its state before this process began is unknown. False if an earlier state is kept, or if the object is new. */
  readonly isUnknown: boolean;
}

/** The objects of one kind that cannot be read at present; those without a name count as one. */
export class UnreadObjects {
  #objects: ReadonlyMap<string | null, UnreadObject> = new Map();
  readonly #changed: (objects: readonly UnreadObject[]) => void;

  /** `changed` gets all of them after each change. */
  constructor(changed: (objects: readonly UnreadObject[]) => void) {
    this.#changed = changed;
  }

  /** Whether one of them has no name, and so may be any object. */
  get hasNameless(): boolean {
    return this.#objects.has(null);
  }

  /** Replaces all of them with those of a new list. */
  replace(objects: ReadonlyMap<string | null, UnreadObject>): void {
    if (objects.size === 0 && this.#objects.size === 0) return;
    this.#objects = objects;
    this.#changed([...objects.values()]);
  }

  /** Records what an event shows of one object: `now` is null if it can be read or is gone. */
  note(key: string, now: Unread | null): void {
    const before = this.#objects.get(key);
    if (now === null && before === undefined) return;
    const objects = new Map(this.#objects);
    if (now === null) objects.delete(key);
    else objects.set(key, { ...now, isUnknown: before?.isUnknown ?? false });
    this.replace(objects);
  }
}
