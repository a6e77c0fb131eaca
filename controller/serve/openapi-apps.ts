/** What the OpenAPI description says of `/v1/apps` and `/v1/deployments`, which are for whoever may write. */

import type { WriteRefused } from '../app-writes.ts';
import { REFUSED_STATUS } from './apps.ts';
import { json, refused, WRITE_FORBIDDEN, WRITE_REFUSALS } from './openapi-responses.ts';

type Responses = Readonly<Record<number, object>>;

/** The path items, by path. */
export function appPaths(): Readonly<Record<string, object>> {
  return {
    '/v1/apps': {
      get: operation('listApps', "Ids of the source's apps", { ...APP_REFUSALS, 200: ok('AppList') }),
      post: write('createApp', 'Creates an app', ['exists', 'locked', 'busy', 'invalid', 'forbidden'], {
        requestBody: DEFINITION,
      }),
    },
    '/v1/apps/{id}': {
      parameters: [APP_ID],
      get: operation('readApp', 'An app as it is defined; definitions may hold secrets', {
        ...APP_REFUSALS,
        200: ok('App'),
        404: refused('There is no such app, or the path has no id of one.'),
      }),
      put: write(
        'replaceApp',
        'Replaces the whole definition of an app: what is not mentioned is gone',
        ['absent', 'locked', 'busy', 'invalid', 'forbidden'],
        { requestBody: DEFINITION },
      ),
      delete: write('removeApp', 'Removes an app and ends its tasks', [
        'absent',
        'locked',
        'busy',
        'forbidden',
      ]),
    },
    '/v1/deployments/{id}': {
      get: operation(
        'deployment',
        'How far a deployment of Marathon is, and what this host has of its app',
        {
          ...WRITE_REFUSALS,
          200: ok('Deployment'),
          404: refused('One of the ids is none.'),
          502: refused('Marathon does not answer.'),
          503: refused('Too many deployments are followed at once.'),
        },
        { parameters: [DEPLOYMENT_ID, DEPLOYED_APP] },
      ),
    },
  };
}

const TEXT = { type: 'string' };

const APP_ID = {
  name: 'id',
  in: 'path',
  required: true,
  description:
    "The app's id without its leading slash: group/web, or group%2Fweb from a client that escapes slashes.",
  schema: TEXT,
};

const FORCE = {
  name: 'force',
  in: 'query',
  required: false,
  description: 'Cancels the deployments that lock the app, which would be refused as locked otherwise.',
  schema: { type: 'boolean', default: false },
};

const DEPLOYMENT_ID = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'Id of the deployment, as the answer to a write has it.',
  schema: TEXT,
};

const DEPLOYED_APP = {
  name: 'app',
  in: 'query',
  required: true,
  description: 'Id of its app, absolute.',
  schema: TEXT,
};

const DEFINITION = {
  required: true,
  description: 'At most 1 MiB; its bytes go to Marathon as they are.',
  content: json('AppDefinition'),
};

const BODY_REFUSALS: Responses = {
  400: refused('The body is no JSON object.'),
  413: refused('The body is too long.'),
  415: refused('The body is not declared as application/json.'),
};

/** What this controller says with a status that a refusal of Marathon's has too. */
const OWN_REASONS: Readonly<Record<number, string>> = {
  403: WRITE_FORBIDDEN,
  404: 'The path has no id of an app.',
};

const APP_REFUSALS: Responses = {
  ...WRITE_REFUSALS,
  429: refused('Too many wrong tokens from this address, or more than 120 requests within a minute.'),
  502: refused('Marathon does not answer, or not as Marathon does.'),
};

function ok(schema: string): object {
  return { description: 'As asked for.', content: json(schema) };
}

function operation(operationId: string, summary: string, responses: Responses, more: object = {}): object {
  return { operationId, summary, security: [{ token: [] }, { certificate: [] }], ...more, responses };
}

/** `whys`: what Marathon may refuse it for. */
function write(
  operationId: string,
  summary: string,
  whys: readonly WriteRefused['why'][],
  more: { readonly requestBody?: object } = {},
): object {
  const responses: Record<number, object> = {
    ...APP_REFUSALS,
    200: ok('WriteAccepted'),
    ...(more.requestBody !== undefined && BODY_REFUSALS),
  };
  for (const [status, reasons] of Map.groupBy(whys, (why) => REFUSED_STATUS[why])) {
    const own = OWN_REASONS[status];
    const marathons = `Marathon refuses it, and \`why\` is ${reasons.join(' or ')}.`;
    responses[status] =
      own === undefined
        ? { description: marathons, content: json('WriteRefused') }
        : { description: `${own} Or ${marathons}`, content: json('Problem', 'WriteRefused') };
  }
  return operation(operationId, summary, responses, { parameters: [FORCE], ...more });
}
