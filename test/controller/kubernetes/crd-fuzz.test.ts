import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { customResourceDefinition } from '../../../controller/kubernetes/crd.ts';
import { readDeclaration } from '../../../controller/source/kubernetes/declaration.ts';
import { appStatus } from '../../../controller/status/kubernetes/app-status.ts';
import { NO_FACTS } from '../../../controller/status/kubernetes/pass-facts.ts';
import { admit, type StructuralSchema } from '../../support/kubernetes/structural-schema.ts';

const { spec } = customResourceDefinition() as {
  spec: { versions: { schema: { openAPIV3Schema: StructuralSchema } }[] };
};
const schema = spec.versions[0]?.schema.openAPIV3Schema ?? {};
const specSchema = schema.properties?.['spec'] ?? {};

/** Words that mean something somewhere, besides any text. */
const WORDS = [
  'VIP_0',
  'IPVS_WEIGHT',
  '/web:80',
  'tcp',
  'udp,tcp',
  'BRIDGE',
  'host',
  '10.0.0.1',
  '',
  '\u0000',
  '😀',
];
const text = fc.oneof(fc.constantFrom(...WORDS), fc.string({ maxLength: 8, unit: 'grapheme' }));

/** Values that fit a schema, and now and then one of another type or beyond a bound. */
function valuesOf(schema: StructuralSchema): fc.Arbitrary<unknown> {
  const { minimum = -1, maximum = 100_000 } = schema;
  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constant('x'.repeat((schema.maxLength ?? 1_100) + 1)),
    fc.integer({ min: minimum - 1, max: maximum + 1 }),
  );
  const fitting = fittingValuesOf(schema);
  return fc.oneof(
    { weight: 60, arbitrary: fitting },
    { weight: schema.nullable ? 6 : 0, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: odd },
  );
}

function fittingValuesOf(schema: StructuralSchema): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'object':
      return objectsOf(schema);
    case 'array':
      return fc.array(valuesOf(schema.items ?? {}), { maxLength: 3 });
    case 'string':
      return schema.pattern === undefined
        ? text
        : fc.stringMatching(new RegExp(schema.pattern), { maxLength: 20 });
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -1, max: schema.maximum ?? 100_000 });
    case 'number':
      return fc.double();
    case 'boolean':
      return fc.boolean();
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function objectsOf({ properties, additionalProperties, required = [] }: StructuralSchema) {
  if (properties === undefined)
    return fc.dictionary(text, valuesOf(additionalProperties ?? {}), { maxKeys: 3 });
  const fields = Object.entries(properties).map(([name, one]) => [name, valuesOf(one)] as const);
  const known = fc.record(Object.fromEntries(fields), { requiredKeys: required });
  const more = fc.dictionary(fc.constantFrom('tasks', 'instances', 'cmd'), fc.jsonValue({ maxDepth: 1 }), {
    maxKeys: 1,
  });
  return fc.tuple(known, more).map(([one, others]) => ({ ...others, ...one }));
}

const part = (name: string) => valuesOf(specSchema.properties?.[name] ?? {});
const one = (name: string, of: StructuralSchema | undefined) =>
  valuesOf(of?.properties?.[name] ?? {}).map((value) => ({ [name]: value }));
const endpointsSchema = specSchema.properties?.['endpoints'];
const endpoints = fc.oneof(
  { weight: 5, arbitrary: one('service', endpointsSchema) },
  { weight: 5, arbitrary: one('selector', endpointsSchema) },
  { weight: 1, arbitrary: part('endpoints') },
);
const declared = fc.oneof(
  ...['app', 'pod', 'relayed'].map((name) => one(name, specSchema)),
  fc.record({ app: part('app'), pod: part('pod'), relayed: part('relayed') }, { requiredKeys: [] }),
);
const framework = fc.record({ framework: part('framework') }, { requiredKeys: [] });
const specs = fc
  .tuple(endpoints, declared, framework)
  .map(([endpoints, what, named]) => ({ endpoints, ...what, ...named }));

const metadata = { name: 'web', namespace: 'shop', resourceVersion: '1', uid: 'u', generation: 1 };
const copy = (value: object) => JSON.parse(JSON.stringify(value)) as { [key: string]: unknown };
const RUNS = { numRuns: 1_000 };

test('whatever the reader takes, the API server takes', () => {
  let taken = 0;
  fc.assert(
    fc.property(specs, (spec) => {
      const object = copy({ metadata, spec });
      const read = readDeclaration(object, 'shop/web');
      if (!('selector' in read)) return;
      taken += 1;
      expect(admit(object, schema)).toEqual([]);
    }),
    RUNS,
  );
  expect(taken).toBeGreaterThan(50);
});

test('whatever the API server takes is read, or its status says why not in a form that the server takes', () => {
  let [taken, refused] = [0, 0];
  fc.assert(
    fc.property(specs, (spec) => {
      const object = copy({ metadata, spec });
      if (admit(object, schema).length > 0) return;
      taken += 1;
      const declaration = readDeclaration(object, 'shop/web');
      const evidence = { facts: NO_FACTS, passError: null, references: undefined };
      const subject = { key: 'shop/web', generation: 1, declaration };
      const status = appStatus(subject, evidence, {}, '2026-01-01T00:00:00Z');
      expect(admit(copy({ spec, status }), { ...schema, required: [] })).toEqual([]);
      if ('selector' in declaration) return;
      refused += 1;
      const accepted = status.conditions?.find(({ type }) => type === 'Accepted');
      expect(accepted?.status).toBe('False');
      expect(accepted?.message).toContain(declaration.reason.slice(0, 20));
    }),
    RUNS,
  );
  expect(taken).toBeGreaterThan(50);
  expect(refused).toBeGreaterThan(0);
});

const pod = { id: '/web', networks: [], containers: [] };

test.each<[string, object, string]>([
  [
    'In without values',
    { pod, endpoints: { selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } } },
    'spec.endpoints.selector.matchExpressions[0].values',
  ],
  [
    'Exists with values',
    { pod, endpoints: { selector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] } } },
    'spec.endpoints.selector.matchExpressions[0].values',
  ],
  [
    'containers that are no list',
    { pod: { ...pod, containers: {} }, endpoints: { service: 'a' } },
    'spec.pod',
  ],
  ['an app for a pod', { pod: { id: '/web', cmd: 'x' }, endpoints: { service: 'a' } }, 'spec.pod'],
])('a spec that has %s is refused, also where the API server did not check it', (_, spec, at) => {
  expect(readDeclaration({ metadata, spec }, 'shop/web')).toMatchObject({ at });
});
