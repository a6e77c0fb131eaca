/**
 * `/control/…`: what `TestMarathon` offers to a test in the same process, for those in another one.
 *
 *     POST   /control/apps                   an app, without Marathon's rules
 *     POST   /control/elect                  {"electionMs": 500}
 *     POST   /control/down                   {"ms": 60000}: nobody listens for so long
 *     POST   /control/health                 {"withheld": true}: no task has a result
 *     POST   /control/fail                   {"count": 3, "status": 503, "path": "/v2/apps"}
 *     POST   /control/damage                 {"count": 1, "body": "truncated", "path": "/v2/apps"}
 *     POST   /control/delay                  {"ms": 2000}
 *     POST   /control/stream                 {"silent": true, "muted": false} or {"close": true}
 *     DELETE /control/faults
 *     POST   /control/tasks/{id}             {"state": "TASK_UNREACHABLE"} or {"alive": true|false|null}
 *     GET    /control/requests
 */

import { notFound } from './errors.ts';
import type { BadBody } from './faults.ts';
import type { TaskState } from './instance.ts';
import { type JsonObject, numberAt, stringAt } from './json.ts';
import { bodyObject, ok, type Reply, type Request, type Route } from './reply.ts';
import type { TestMarathon } from './test-marathon.ts';

const DONE: Reply = { status: 204 };

export function controlRoutes(marathon: () => TestMarathon): readonly Route[] {
  return [
    post('/control/apps', (body) => void marathon().addApp(body)),
    post('/control/elect', (body) => marathon().elect(numberAt(body, 'electionMs'))),
    post('/control/down', (body) => {
      setTimeout(() => void marathon().comeBack(), numberAt(body, 'ms') ?? 0);
      // When this has been answered.
      setImmediate(() => void marathon().goDown());
    }),
    post('/control/health', (body) => marathon().withholdHealth(body['withheld'] === true)),
    post('/control/fail', (body) =>
      marathon().faults.fail(numberAt(body, 'count') ?? 1, numberAt(body, 'status'), stringAt(body, 'path')),
    ),
    post('/control/damage', (body) =>
      marathon().faults.damage(
        numberAt(body, 'count') ?? 1,
        (stringAt(body, 'body') ?? 'truncated') as BadBody,
        stringAt(body, 'path'),
      ),
    ),
    post('/control/delay', (body) => {
      marathon().faults.delayMs = numberAt(body, 'ms') ?? 0;
    }),
    post('/control/stream', (body) => {
      Object.assign(marathon().streamFaults, {
        silent: body['silent'] === true,
        muted: body['muted'] === true,
      });
      if (body['close'] === true) marathon().closeStreams();
    }),
    { method: 'DELETE', path: /^\/control\/faults$/, answer: clearFaults },
    { method: 'POST', path: /^\/control\/tasks\/(?<id>[^/]+)$/, answer: setTask },
    { method: 'GET', path: /^\/control\/requests$/, answer: () => ok(marathon().requests) },
  ];

  function clearFaults(): Reply {
    marathon().faults.clear();
    Object.assign(marathon().streamFaults, { silent: false, muted: false });
    return DONE;
  }

  function setTask(request: Request): Reply {
    const body = bodyObject(request);
    const { id = '' } = request.at;
    if (
      !marathon()
        .tasks()
        .some((task) => task['id'] === id)
    )
      throw notFound(`Task '${id}' does not exist`);
    const state = stringAt(body, 'state');
    if (state !== undefined) marathon().setTaskState(id, state as TaskState);
    if ('alive' in body) marathon().setHealth(id, body['alive'] === null ? null : body['alive'] === true);
    return DONE;
  }
}

function post(path: string, change: (body: JsonObject) => void): Route {
  const answer = (request: Request): Reply => {
    change(bodyObject(request));
    return DONE;
  };
  return { method: 'POST', path: new RegExp(`^${path}$`), answer };
}
