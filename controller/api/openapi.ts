/**
 * Generates docs/openapi.json, the description of `/v1`, from the list of routes.
 *
 *     node --conditions=ipvs-source controller/api/openapi.ts
 */

import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject } from 'zod-openapi';
import { version } from '../config/version.ts';
import { refused } from './descriptions.ts';
import type { DescribedAnswer, Route, Schemas } from './route.ts';
import { ROUTES } from './routes.ts';

type Parameters = NonNullable<ZodOpenApiOperationObject['requestParams']>;
type Responses = NonNullable<ZodOpenApiOperationObject['responses']>;

/** The API as an OpenAPI 3.1 document. */
export function openapi(): object {
  const routes = ROUTES.filter(({ id }) => id !== undefined);
  const bodies = routes.flatMap((route) => [...(route.body ? [route.body] : []), ...answersOf(route)]);
  return createDocument(
    {
      openapi: '3.1.0',
      info: {
        title: 'marathon-ipvs',
        version: version(),
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
        description:
          'State and actions of the controller on one host. Keys may be added to any object, and are never renamed. Times are RFC 3339; sizes are bytes; rates are per second.',
      },
      servers: [{ url: 'http://127.0.0.1:61421', description: 'The default of --listen.' }],
      // No credentials over loopback unless the operator configures them; beyond it, one of the two others.
      security: [{}, { token: [] }, { certificate: [] }],
      paths: Object.fromEntries(
        [...Map.groupBy(routes, ({ path }) => path)].map(([path, here]) => [
          path,
          Object.fromEntries(here.map((route) => [route.method.toLowerCase(), operation(route)])),
        ]),
      ),
      components: {
        securitySchemes: {
          token: {
            type: 'http',
            scheme: 'bearer',
            description:
              'The token in the file of --read-token-file or --write-token-file of the controller.',
          },
          certificate: {
            type: 'mutualTLS',
            description:
              'A client certificate signed by an authority in --tls-client-ca-file, for a name in --tls-client-names if that option is set.',
          },
        },
        schemas: Object.assign({}, ...bodies.map(({ schemas }) => schemas)),
      },
    },
    {
      // Keys may be added, so objects stay open. For a map this is the schema of its values, which stays.
      override({ jsonSchema }) {
        const values = jsonSchema.additionalProperties;
        if (typeof values !== 'object' || Object.keys(values).length === 0)
          delete jsonSchema.additionalProperties;
      },
    },
  );
}

function operation(route: Route<never>): ZodOpenApiOperationObject {
  const { id = '', summary = '', needs, path, input, body } = route;
  const answers = Map.groupBy(answersOf(route), ({ status }) => status);
  return {
    operationId: id,
    summary,
    ...(needs === 'write' && { security: [{ token: [] }, { certificate: [] }] }),
    ...(input !== undefined && { requestParams: parameters(path, input) }),
    ...(body !== undefined && {
      requestBody: { required: true, description: body.description, content: json(body.schemas) },
    }),
    responses: Object.fromEntries([...answers].map(([status, several]) => [status, response(several)])),
  };
}

function parameters(path: string, { shape }: z.ZodObject): Parameters {
  const described = Object.entries(shape as Schemas).map(([name, schema]) => {
    const { description = '' } = schema;
    // It describes the parameter; the parameter's schema need not repeat it.
    return [name, schema.meta({ description: undefined, param: { description } })] as const;
  });
  const { inPath = [], inQuery = [] } = Object.groupBy(described, ([name]) =>
    path.endsWith(`{${name}}`) ? 'inPath' : 'inQuery',
  );
  return { path: z.object(Object.fromEntries(inPath)), query: z.object(Object.fromEntries(inQuery)) };
}

function response(several: readonly DescribedAnswer[]): Responses['200'] {
  const schemas: Schemas = Object.assign({}, ...several.map((one) => one.schemas));
  const type = several.find((one) => one.type !== undefined)?.type;
  return {
    description: several.map(({ description }) => description).join(' Or '),
    ...(Object.keys(schemas).length > 0 && { content: json(schemas) }),
    ...(type !== undefined && { content: { [type]: {} } }),
  };
}

/** JSON that matches one of the schemas. */
function json(schemas: Schemas) {
  const all = Object.values(schemas);
  const [only] = all;
  return { 'application/json': { schema: all.length === 1 && only ? only : z.union(all) } };
}

const WRITE_FORBIDDEN =
  'Writing is disabled on this controller, the token only allows reading, the certificate has no listed name, or the request comes from a page of another site.';
const READ_FORBIDDEN =
  'The certificate has no listed name, or the request comes from a page of another site.';
const BODY_REFUSALS = [
  refused(400, 'The body is not a JSON object.'),
  refused(413, 'The body is too large.'),
  refused(415, 'The Content-Type is not application/json, or the body has a Content-Encoding.'),
];

/** The answers of the server, and then those of the route's endpoint. */
function answersOf({ answers = [], needs, frequent, body }: Route<never>): readonly DescribedAnswer[] {
  const counted = needs === 'write' && frequent !== true;
  const tries = 'Too many wrong tokens from this address';
  return [
    refused(401, 'The request has neither token nor certificate, or a wrong one.'),
    refused(403, needs === 'write' ? WRITE_FORBIDDEN : READ_FORBIDDEN),
    refused(421, 'The address is for clients on this host, but the Host header names another one.'),
    refused(429, counted ? `${tries}, or more than 120 requests within a minute.` : `${tries}.`),
    refused(500, 'The controller failed to answer; its log has the reason.'),
    ...(body === undefined ? [] : BODY_REFUSALS),
    ...answers,
  ];
}

/** The contents of docs/openapi.json. */
export function openapiText(): string {
  return `${JSON.stringify(openapi(), null, 2)}\n`;
}

if (import.meta.main) {
  writeFileSync(new URL('../../docs/openapi.json', import.meta.url), openapiText());
}
