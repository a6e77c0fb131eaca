import type { Config } from '../../../../config/config.ts';
import { isRecord, shown } from '../../../../input/rejection.ts';
import type { App } from '../../../../model/app.ts';
import { repeatedKeysIn } from '../../../../source/json/repeated-keys.ts';
import { assignmentsOrFile, readText, shownFile } from '../change.ts';
import type { KnownObject } from './cluster.ts';
import { isJson, isManifest, parseDocument } from './manifest.ts';
import { shownObject } from './messages.ts';
import { type Mistakes, type Proposal, proposalOf } from './proposal.ts';
import type { ClusterSession } from './session.ts';
import type { Next } from './write.ts';

/** The change of an object. `prefix` is that of a proposal. */
export interface Change extends Next, Pick<Proposal, 'kind' | 'prefix'> {}

/** Parses one document. `where` is the name of the text in messages. */
export function parsedOrMistakes(text: string, where: string): { readonly value: unknown } | Mistakes {
  try {
    const value = parseDocument(text);
    const repeated = isJson(text) ? repeatedKeysIn(text) : [];
    if (repeated.length > 0) return { mistakes: repeated.map((key) => ({ app: where, ...key })) };
    return { value };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { mistakes: [{ app: where, at: '', value: '', reason: error.message }] };
  }
}

/** Reads the changes of `app update`: fields, or a manifest. With only `--endpoints`, standard input is not read. */
export async function readChange(
  id: string,
  changes: readonly string[],
  { config, ports }: ClusterSession,
): Promise<{ readonly value: Readonly<Record<string, unknown>> } | Mistakes> {
  const what = assignmentsOrFile(changes);
  if ('fields' in what) return { value: what.fields };
  if (what.file === null && config.endpoints !== undefined) return { value: {} };
  const parsed = parsedOrMistakes(await readText(what.file, ports), shownFile(what.file));
  if ('mistakes' in parsed) return parsed;
  const { value } = parsed;
  if (isRecord(value)) return { value };
  const reason = 'expected an object with the fields that change, or a MarathonApp';
  return { mistakes: [{ app: id, at: '', value: shown(value), reason }] };
}

/** The changed object. As at Marathon, each given field replaces the one in the definition; null removes it. */
export function changed(
  before: KnownObject,
  json: Readonly<Record<string, unknown>>,
  { config }: Pick<ClusterSession, 'config'>,
): Change | Mistakes {
  const { kind } = before;
  const where = before.id ?? '';
  if (isManifest(json)) {
    const proposal = proposalOf(json, kind, where, config);
    if ('mistakes' in proposal) return proposal;
    const { spec, ...rest } = proposal;
    for (const field of ['name', 'namespace'] as const) {
      const value = proposal[field];
      if (value === null || value === before[field]) continue;
      const reason = `the app is ${shownObject(before)}, expected its ${field}`;
      return { mistakes: [{ app: where, at: `metadata.${field}`, value, reason }] };
    }
    return { ...rest, spec: () => spec };
  }
  const unlabelled = { labels: {}, annotations: {}, madeFrom: null };
  return { kind, prefix: '', ...unlabelled, spec: ({ spec }) => merged(spec, kind, json, config.endpoints) };
}

function merged(
  { relayed, ...spec }: KnownObject['spec'],
  kind: App['kind'],
  fields: object,
  endpoints: Config['endpoints'],
): KnownObject['spec'] {
  const id = (relayed as { id?: unknown } | undefined)?.id;
  const before = (spec[kind] ?? (id === undefined ? {} : { id })) as object;
  const all = Object.entries({ ...before, ...fields });
  const definition = Object.fromEntries(
    all.filter(([field, value]) => value !== null || !Object.hasOwn(fields, field)),
  );
  return { ...spec, ...(endpoints !== undefined && { endpoints }), [kind]: definition };
}
