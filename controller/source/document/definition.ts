import { appSchema, podSchema } from '../../input/marathon-json.ts';
import { isRecord, rejectionsOf, shown } from '../../input/rejection.ts';
import { checked, expected } from '../../input/schema-messages.ts';
import type { App, Rejection } from '../../model/app.ts';
import { repeatedKeysIn } from '../json/repeated-keys.ts';
import { parseJson } from '../json/text.ts';
import { convertApp } from './apps.ts';
import { absoluteId } from './documents.ts';
import { convertPod } from './pods.ts';
import { findLabels } from './stray-labels.ts';

/** A definition to be sent to Marathon: the app that it would become, without tasks; or its mistakes. */
export type ReadDefinition =
  | { readonly app: App; readonly json: Readonly<Record<string, unknown>> }
  | { readonly mistakes: readonly Rejection[] };

/**
 * Reads the JSON text of one app or pod as the sources do; a repeated key is a mistake. `where` stands for the id until
 * that is known.
 */
export function readDefinition(
  text: string,
  kind: App['kind'],
  { where, framework }: { readonly where: string; readonly framework: string },
): ReadDefinition {
  try {
    const read = checkDefinition(parseJson(text), kind, { where, framework });
    const repeated = repeatedKeysIn(text);
    if (repeated.length === 0) return read;
    const mistakes = 'mistakes' in read ? read.mistakes : [];
    const app = 'app' in read ? read.app.id : (mistakes[0]?.app ?? where);
    return { mistakes: [...mistakes, ...repeated.map((key) => ({ app, ...key }))] };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return { mistakes: [{ app: where, at: '', value: '', reason: `not JSON: ${error.message}` }] };
  }
}

/** The same for parsed JSON. Fields that Marathon adds (tasks, counts) are ignored. */
export function checkDefinition(
  json: unknown,
  kind: App['kind'],
  { where, framework }: { readonly where: string; readonly framework: string },
): ReadDefinition {
  const other = otherThan(kind, json);
  if (other !== null || !isRecord(json)) {
    return {
      mistakes: [{ app: where, at: '', value: shown(json), reason: other ?? expected(`one ${kind}`, json) }],
    };
  }
  const { tasks: _running, ...definition } = json;
  const id = typeof json['id'] === 'string' && json['id'] !== '' ? absoluteId(json['id'], '/') : where;
  const conversion = { framework, agentAddress: () => null };
  const schema = kind === 'app' ? appSchema : podSchema;
  const { error } = checked<typeof appSchema | typeof podSchema>(schema, definition);
  if (error !== undefined) return { mistakes: rejectionsOf(id, definition, error) };
  const labels = findLabels(definition);
  const found = labels === null ? {} : { foundLabels: labels };
  if (kind === 'app') {
    return { app: convertApp({ ...appSchema.parse(definition), ...found, id }, conversion), json };
  }
  const pod = { id, spec: podSchema.parse(definition), ...found, instances: [] };
  return { app: convertPod(pod, conversion), json };
}

/** What this is instead of one app or pod; null when it looks like one. */
function otherThan(kind: App['kind'], json: unknown): string | null {
  const one = `expected one ${kind}, {"id": "/name", …}`;
  if (!isRecord(json)) return one;
  if (isRecord(json['app'])) return `${one}, without {"app": …} around it`;
  for (const field of ['apps', 'groups', 'pods']) {
    if (Array.isArray(json[field])) return `${one}, not a group`;
  }
  if (isRecord(json['spec'])) return `${one}, not the status of a pod`;
  const isPod = Array.isArray(json['containers']);
  if (kind === 'app' && isPod) return `${one}; this is a pod (it has containers): use pod add`;
  if (kind === 'pod' && !isPod) return `expected one pod, {"id": "/name", "containers": […], …}`;
  return null;
}
