import { z } from 'zod';
import type { Config } from '../../../../config/config.ts';
import { isRecord, rejectionsOf, shown } from '../../../../input/rejection.ts';
import { checked } from '../../../../input/schema-messages.ts';
import { RELAY_LABEL } from '../../../../kubernetes/relayed.ts';
import { apiVersion, MARATHON_APPS } from '../../../../kubernetes/resources.ts';
import type { App, Rejection } from '../../../../model/app.ts';
import { checkDefinition } from '../../../../source/document/definition.ts';
import { readDeclaration } from '../../../../source/kubernetes/declaration.ts';
import { isManifest } from './manifest.ts';

/** A MarathonApp to create or change; only its own fields have been checked so far. */
export interface Proposal {
  readonly kind: App['kind'];
  readonly name: string | null;
  readonly namespace: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Version of the object that the manifest was made from; null if it has none. */
  readonly madeFrom: { readonly resourceVersion: string; readonly generation: number | null } | null;
  readonly spec: Readonly<Record<string, unknown>>;
  /** Path of the definition within the input: `spec.app`; empty if the input is the definition itself. */
  readonly prefix: string;
}

export type Mistakes = { readonly mistakes: readonly Rejection[] };

const texts = z.record(z.string(), z.string()).nullish();
const metadataSchema = z
  .looseObject({
    name: z.string().optional(),
    namespace: z.string().optional(),
    labels: texts,
    annotations: texts,
    resourceVersion: z.string().optional(),
    generation: z.int().optional(),
  })
  .optional();
const specSchema = z.record(z.string(), z.unknown());
const manifestSchema = z.object({
  apiVersion: z.literal(apiVersion(MARATHON_APPS)),
  kind: z.literal(MARATHON_APPS.kind),
  metadata: metadataSchema,
  spec: specSchema,
});

const SPEC_FIELDS = ['framework', 'endpoints', 'app', 'pod'];
const ENDPOINT_FIELDS = ['service', 'selector'];

/** Creates a proposal from a definition with flags, or from a whole MarathonApp. `where` names it in messages. */
export function proposalOf(
  json: unknown,
  kind: App['kind'],
  where: string,
  { endpoints, framework }: Pick<Config, 'endpoints' | 'framework'>,
): Proposal | Mistakes {
  if (isManifest(json)) return proposalOfManifest(json, kind, where, { endpoints, framework });
  if (endpoints === undefined) {
    const reason =
      'no endpoints are given, expected --endpoints SERVICE or --endpoints KEY=VALUE,…; or a MarathonApp with spec.endpoints in place of the definition';
    return { mistakes: [{ app: where, at: '', value: '', reason }] };
  }
  const spec = { ...(framework !== undefined && { framework }), endpoints, [kind]: json };
  const nameless = { name: null, namespace: null, labels: {}, annotations: {}, madeFrom: null };
  return { kind, ...nameless, spec, prefix: '' };
}

function proposalOfManifest(
  json: Readonly<Record<string, unknown>>,
  kind: App['kind'],
  where: string,
  { endpoints, framework }: Pick<Config, 'endpoints' | 'framework'>,
): Proposal | Mistakes {
  const { data, error } = checked(manifestSchema, json);
  if (error !== undefined) return { mistakes: rejectionsOf(where, json, error) };
  const { metadata = {}, spec } = data;
  const { name = null, namespace = null, labels, annotations, resourceVersion, generation = null } = metadata;
  const mistake = (at: string, value: string, reason: string) => ({ app: where, at, value, reason });
  const mistakes = [
    ...unknownFields(spec, SPEC_FIELDS, 'spec', where),
    ...unknownFields(spec['endpoints'], ENDPOINT_FIELDS, 'spec.endpoints', where),
  ];
  if (labels?.[RELAY_LABEL] !== undefined) {
    const reason = 'only a relay writes this label, and it removes objects with it; expected no such label';
    mistakes.push(mistake(`metadata.labels["${RELAY_LABEL}"]`, labels[RELAY_LABEL], reason));
  }
  const other = kind === 'app' ? 'pod' : 'app';
  if (spec[kind] === undefined && spec[other] !== undefined) {
    mistakes.push(mistake('spec', '', `expected spec.${kind}; this is a MarathonApp with spec.${other}`));
  }
  if (endpoints !== undefined) {
    mistakes.push(
      mistake('spec.endpoints', '', 'a MarathonApp has endpoints of its own, expected no --endpoints'),
    );
  }
  if (mistakes.length > 0) return { mistakes };
  return {
    ...{ kind, name, namespace, labels: labels ?? {}, annotations: annotations ?? {} },
    madeFrom: resourceVersion === undefined ? null : { resourceVersion, generation },
    spec: framework === undefined ? spec : { framework, ...spec },
    prefix: `spec.${kind}`,
  };
}

/** Finds fields that the API server would drop silently. */
function unknownFields(json: unknown, known: readonly string[], path: string, where: string): Rejection[] {
  if (!isRecord(json)) return [];
  const unknown = Object.keys(json).filter((field) => !known.includes(field));
  const reason =
    path === 'spec' && unknown.includes('relayed')
      ? 'only a relay writes spec.relayed, expected app or pod'
      : `unknown field, expected ${known.join(', ')}`;
  return unknown.map((field) => ({ app: where, at: `${path}.${field}`, value: shown(json[field]), reason }));
}

/** The app that a `spec` declares, as the controllers will read it; or all its mistakes. */
export function checkSpec(
  { kind, spec, prefix }: Pick<Proposal, 'kind' | 'spec' | 'prefix'>,
  where: string,
): { readonly app: App } | Mistakes {
  const framework = typeof spec['framework'] === 'string' ? spec['framework'] : 'marathon';
  const read = checkDefinition(spec[kind], kind, { where, framework });
  if ('mistakes' in read) {
    return { mistakes: read.mistakes.map((one) => ({ ...one, at: placed(prefix, one.at) })) };
  }
  const { id } = read.app;
  const metadata = { name: 'proposed', namespace: 'proposed', resourceVersion: '0' };
  const declaration = readDeclaration({ metadata, spec }, 'proposed/proposed');
  if (!('selector' in declaration)) return { mistakes: [{ ...declaration, app: id }] };
  const { ports, rejected, warnings } = declaration;
  const declared = { id, kind, framework: declaration.framework, ports: ports.map(({ port }) => port) };
  return { app: { ...declared, tasks: [], rejected, warnings } };
}

function placed(prefix: string, at: string): string {
  return prefix === '' || at === '' ? prefix + at : `${prefix}.${at}`;
}
