import { same } from '../../../controller/compare.ts';
import {
  type FieldSet,
  fieldsOf,
  fromFieldsV1,
  type Path,
  pathText,
  putAt,
  removeAt,
  toFieldsV1,
  valueAt,
} from './field-sets.ts';
import type { Kind } from './kinds.ts';
import { type JsonObject, type KubeObject, type ManagedFields, StatusError } from './types.ts';

/** Who writes. */
export interface Writer {
  readonly manager: string;
  readonly subresource: string | undefined;
  readonly force: boolean;
}

interface Owner extends Omit<ManagedFields, 'fieldsV1' | 'time'> {
  fields: FieldSet;
  time: string;
}

/**
 * Server-side apply: the object as it is after `config` was applied, with the fields that this manager applied before
 * and left out now taken away. Throws 409 for a field that someone else owns with another value, unless forced.
 */
export function applied(live: KubeObject, config: KubeObject, kind: Kind, writer: Writer): KubeObject {
  const owners = ownersOf(live);
  const wanted = fieldsOf(config, kind.listKeys);
  const mine = owners.find((owner) => isSame(owner, writer, 'Apply'));
  const others = owners.filter((owner) => owner !== mine);

  const conflicts = [...wanted.values()].filter(
    (path) =>
      others.some(({ fields }) => fields.has(JSON.stringify(path))) &&
      !same(valueAt(live, path), valueAt(config, path)),
  );
  if (conflicts.length > 0 && !writer.force) throw conflict(conflicts, others);

  const next = structuredClone(live);
  for (const [key, path] of mine?.fields ?? []) {
    const held = others.some(({ fields }) => fields.has(key));
    if (!wanted.has(key) && !held) removeAt(next as unknown as JsonObject, path);
  }
  for (const path of wanted.values()) {
    putAt(next as unknown as JsonObject, path, valueAt(config, path) as JsonObject);
  }
  const lost = new Set(conflicts.map((path) => JSON.stringify(path)));
  const kept = others.map((owner) => ({ ...owner, fields: without(owner.fields, lost) }));
  writeOwners(next, [...kept, { ...entryFor(live, writer, 'Apply', mine), fields: wanted }]);
  return next;
}

/** What an update or a merge patch makes of ownership: what it changed is the writer's, and no one else's. */
export function updated(live: KubeObject | null, next: KubeObject, kind: Kind, writer: Writer): KubeObject {
  const owners = live === null ? [] : ownersOf(live);
  const now = fieldsOf(next, kind.listKeys);
  const changed = new Map([...now].filter(([, path]) => !same(valueAt(live, path), valueAt(next, path))));
  if (changed.size === 0 && live !== null) {
    next.metadata.managedFields = live.metadata.managedFields ?? [];
    return next;
  }
  const mine = owners.find((owner) => isSame(owner, writer, 'Update'));
  const others = owners
    .filter((owner) => owner !== mine)
    .map((owner) => ({ ...owner, fields: existing(without(owner.fields, new Set(changed.keys())), now) }));
  const fields = existing(new Map([...(mine?.fields ?? []), ...changed]), now);
  writeOwners(next, [...others, { ...entryFor(next, writer, 'Update', mine), fields }]);
  return next;
}

function isSame(owner: Owner, { manager, subresource }: Writer, operation: Owner['operation']): boolean {
  return owner.manager === manager && owner.operation === operation && owner.subresource === subresource;
}

function entryFor(
  { apiVersion }: KubeObject,
  { manager, subresource }: Writer,
  operation: Owner['operation'],
  before: Owner | undefined,
): Omit<Owner, 'fields'> {
  const time = before?.time ?? now();
  const entry = { manager, operation, apiVersion, time, fieldsType: 'FieldsV1' as const };
  return subresource === undefined ? entry : { ...entry, subresource };
}

function ownersOf({ metadata }: KubeObject): Owner[] {
  return (metadata.managedFields ?? []).map(({ fieldsV1, ...entry }) => ({
    ...entry,
    fields: fromFieldsV1(fieldsV1),
  }));
}

let written = 0;

/** In an order of no meaning: nobody may rely on one. */
function writeOwners(object: KubeObject, owners: readonly Owner[]): void {
  written += 1;
  const shuffled = written % 2 === 0 ? owners : owners.toReversed();
  object.metadata.managedFields = shuffled
    .filter(({ fields }) => fields.size > 0)
    .map(({ fields, ...entry }) => ({ ...entry, fieldsV1: toFieldsV1(fields) }));
}

function without(fields: FieldSet, keys: ReadonlySet<string>): FieldSet {
  return new Map([...fields].filter(([key]) => !keys.has(key)));
}

function existing(fields: FieldSet, all: FieldSet): FieldSet {
  return new Map([...fields].filter(([key]) => all.has(key)));
}

function conflict(paths: readonly Path[], others: readonly Owner[]): StatusError {
  const causes = paths.map((path) => {
    const owner = others.find(({ fields }) => fields.has(JSON.stringify(path)));
    return {
      reason: 'FieldManagerConflict',
      message: `conflict with "${owner?.manager}"`,
      field: pathText(path),
    };
  });
  const fields = causes.map(({ field }) => field).join(', ');
  const message = `Apply failed with ${causes.length} conflicts: ${fields}`;
  return new StatusError(409, 'Conflict', message, { causes });
}

/** Without fractions of a second, as the real server writes times. */
export function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
