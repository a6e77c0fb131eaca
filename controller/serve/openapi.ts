/**
 * The description of `/v1` for other programs, made from the schemas: docs/openapi.json.
 *
 *     node --conditions=ipvs-source controller/serve/openapi.ts
 */

import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import { version } from '../config/version.ts';
import { doctorDocument } from '../doctor/document.ts';
import { statusDocument } from '../status/document.ts';
import { whyDocument } from '../why/document.ts';
import {
  appDefinition,
  appDocument,
  appListDocument,
  deploymentDocument,
  diffDocument,
  historyDocument,
  problemDocument,
  vipsDocument,
  writeAcceptedDocument,
  writeRefusedDocument,
} from './described.ts';
import { appPaths } from './openapi-apps.ts';
import { json, READ_REFUSALS, refused } from './openapi-responses.ts';

/** An OpenAPI 3.1 document. */
export function openapi(): object {
  return {
    openapi: '3.1.0',
    info: {
      title: 'marathon-ipvs',
      version: version(),
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      description:
        'What the controller of one host knows and does. Keys may be added to any object, and are never renamed. Times are RFC 3339; sizes are bytes; rates are per second.',
    },
    servers: [{ url: 'http://127.0.0.1:61421', description: 'The default of --listen.' }],
    // Nothing is needed over loopback, unless the operator asks for it; one of the others is beyond.
    security: [{}, { token: [] }, { certificate: [] }],
    paths: {
      '/v1/status': get('status', 'Every VIP and backend, the sources, and the state of the host', {
        ok: 'Status',
        parameters: [
          {
            name: 'vip',
            in: 'query',
            required: false,
            description:
              'Only the VIPs that this means: a name, with or without framework or zone, an address, or an app, each also with :PORT; * stands for any characters.',
            schema: { type: 'string' },
          },
        ],
      }),
      '/v1/doctor': get('doctor', 'What this host lacks, each with the command that fixes it', {
        ok: 'Doctor',
        notKnown: 'This host is not examined, or that took too long.',
      }),
      '/v1/why': get('why', 'Why connections to a VIP fail: the first thing on their way that is broken', {
        ok: 'Why',
        parameters: [
          {
            name: 'vip',
            in: 'query',
            required: true,
            description:
              'NAME[:PORT][/udp]: a name, with or without framework or zone, an address, or an app. Opens connections to it, and closes them.',
            schema: { type: 'string' },
          },
        ],
        notKnown: 'Another way is being walked, or it took too long.',
      }),
      '/v1/diff': get('diff', 'What the last pass intended, as `diff -o json` prints it', {
        ok: 'Diff',
        notKnown: 'No source has been read yet, or the kernel could not be.',
      }),
      '/v1/history': get('history', 'What changed since the start of the controller, the newest first', {
        ok: 'History',
        parameters: [
          {
            name: 'vip',
            in: 'query',
            required: false,
            description: 'Only changes of the VIP with this id.',
            schema: { type: 'string' },
          },
        ],
      }),
      '/v1/events': {
        get: {
          operationId: 'events',
          summary:
            'The status and what changes of it, as server-sent events: for the page, without a promise',
          responses: {
            200: { description: 'A stream.', content: { 'text/event-stream': {} } },
            ...READ_REFUSALS,
            503: refused('There are too many streams already.'),
          },
        },
      },
      ...appPaths(),
      '/v1/vips': get('vips', 'What this host forwards, as dcos-net tells it', {
        ok: 'Vips',
        notKnown: 'No source has been read yet.',
        tagged: true,
      }),
    },
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'What --read-token-file of the controller holds, or --write-token-file.',
        },
        certificate: {
          type: 'mutualTLS',
          description:
            'A client certificate that an authority of --tls-client-ca-file has signed, for a name in --tls-client-names where that is given.',
        },
      },
      schemas: {
        Status: schemaOf(statusDocument),
        Doctor: schemaOf(doctorDocument),
        Why: schemaOf(whyDocument),
        Diff: schemaOf(diffDocument),
        Vips: schemaOf(vipsDocument),
        History: schemaOf(historyDocument),
        AppList: schemaOf(appListDocument),
        App: schemaOf(appDocument),
        AppDefinition: schemaOf(appDefinition),
        WriteAccepted: schemaOf(writeAcceptedDocument),
        WriteRefused: schemaOf(writeRefusedDocument),
        Deployment: schemaOf(deploymentDocument),
        Problem: schemaOf(problemDocument),
      },
    },
  };
}

interface Answers {
  /** Schema of the answer that was asked for. */
  readonly ok: string;
  readonly parameters?: readonly object[];
  /** When there is none for now. */
  readonly notKnown?: string;
  /** Whether it has an ETag that can be asked for. */
  readonly tagged?: true;
}

function get(operationId: string, summary: string, { ok, parameters, notKnown, tagged }: Answers): object {
  return {
    get: {
      operationId,
      summary,
      ...(parameters && { parameters }),
      responses: {
        200: { description: 'As asked for.', content: json(ok) },
        ...(tagged && { 304: { description: 'The same as the one whose ETag If-None-Match has.' } }),
        ...READ_REFUSALS,
        ...(notKnown !== undefined && { 503: refused(notKnown) }),
      },
    },
  };
}

function schemaOf(schema: z.ZodType): object {
  const { $schema: _, ...described } = z.toJSONSchema(schema, {
    // Keys may be added. Of a map this is the schema of its values.
    override: ({ jsonSchema }) => {
      const values = jsonSchema.additionalProperties;
      if (typeof values !== 'object' || Object.keys(values).length === 0)
        delete jsonSchema.additionalProperties;
    },
  });
  return described;
}

/** The file's text. */
export function openapiText(): string {
  return `${JSON.stringify(openapi(), null, 2)}\n`;
}

if (import.meta.main) {
  writeFileSync(new URL('../../docs/openapi.json', import.meta.url), openapiText());
}
