import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { z } from 'zod';
import { diffDocument, problemDocument, vipsDocument } from '../../../controller/api/documents.ts';
import { openapi, openapiText } from '../../../controller/api/openapi.ts';
import { statusDocument } from '../../../controller/status/document.ts';
import { backend, service } from '../../support/builders.ts';
import { desiredOf } from '../../support/observed.ts';
import { DB, passOf, settled, WEB } from '../status/passes.ts';
import { Serving } from './serving.ts';

let serving: Serving;
beforeEach(async () => {
  serving = await Serving.start();
});
afterEach(() => serving.close());

// `npm run openapi` makes it anew.

test('docs/openapi.json is up to date with the schemas', () => {
  const file = new URL('../../../docs/openapi.json', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(openapiText());
});

test('exactly the endpoints of /v1 are described', async () => {
  const { endpoints } = JSON.parse((await serving.get('/v1/nothing')).body);
  const { paths } = openapi() as { paths: Record<string, unknown> };
  const told = (endpoints as string[]).filter((path) => path.startsWith('/v1/'));
  expect(Object.keys(paths).sort()).toEqual(told.sort());
});

test('every operation has the refusals of the server, and its failure', () => {
  const { paths } = openapi() as { paths: Record<string, Record<string, { responses: object }>> };
  for (const operation of Object.values(paths).flatMap(Object.values<{ responses: object }>))
    expect(Object.keys(operation.responses)).toEqual(
      expect.arrayContaining(['401', '403', '421', '429', '500']),
    );
});

test('the schema of a map describes its values', () => {
  const { components } = openapi() as { components: { schemas: Record<string, unknown> } };
  expect(components.schemas['Status']).toMatchObject({
    properties: { summary: { properties: { byState: { additionalProperties: { type: 'number' } } } } },
  });
});

test('every reference can be resolved', () => {
  const text = openapiText();
  const { components } = openapi() as { components: { schemas: Record<string, unknown> } };
  const names = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name = '']) => name);
  expect(new Set(names)).toEqual(new Set(Object.keys(components.schemas)));
});

test('every field is described', () => {
  const { components } = openapi() as { components: { schemas: Record<string, Described> } };
  const missing = Object.entries(components.schemas).flatMap(([name, schema]) => undescribed(schema, name));
  expect(missing).toEqual([]);
});

interface Described {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly items?: Described;
  readonly anyOf?: readonly Described[];
}

/** Paths of the fields in it that say nothing of what they are. */
function undescribed({ properties = {}, items, anyOf = [] }: Described, path: string): string[] {
  const inside = [...anyOf, ...(items ? [items] : [])].flatMap((schema) => undescribed(schema, path));
  const fields = Object.entries(properties).flatMap(([name, schema]) => [
    ...((schema.description ?? '') === '' ? [`${path}.${name}`] : []),
    ...undescribed(schema, `${path}.${name}`),
  ]);
  return [...fields, ...inside];
}

/** What it gives, which the schema must know to the last key. */
async function answered(path: string, schema: z.ZodType): Promise<unknown> {
  const { body } = await serving.get(path);
  const given: unknown = JSON.parse(body);
  expect(schema.parse(given)).toEqual(given);
  return given;
}

test('answers have no keys that are not described', async () => {
  await answered('/v1/diff', problemDocument);
  const moved = service(
    '11.0.0.1',
    80,
    [backend('10.0.0.9', 31_000), backend('10.0.0.1', 31_000, { weight: 0 })],
    {
      name: 'web',
      apps: ['/web'],
      scheduler: 'rr',
    },
  );
  serving.converge(passOf({ desired: desiredOf(moved), before: settled(WEB, DB) }));
  const diff = await answered('/v1/diff', diffDocument);
  expect(diff).toMatchObject({
    summary: { change: 1, remove: 1 },
    services: [{ changes: [{}] }, { op: 'remove' }],
  });
  await answered('/v1/vips', vipsDocument);
  await answered('/v1/status', statusDocument);
});
