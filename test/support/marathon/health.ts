/** Runs the health checks of a task at their interval, for real. */

import { get, type RequestOptions } from 'node:http';
import { connect, type TcpNetConnectOpts } from 'node:net';
import { type HealthResult, type Instance, type Task, taskEnvironment } from './instance.ts';
import { type JsonObject, numberAt, objectAt, stringAt } from './json.ts';
import { runCheck } from './task-process.ts';

export interface HealthListener {
  /** After every probe; `changed` says whether `alive` is another than before (or the first). */
  checked(instance: Instance, task: Task, check: JsonObject, changed: boolean): void;
  /** The check failed as often as its definition allows. */
  exhausted(instance: Instance, task: Task): void;
}

interface Checked {
  readonly instance: Instance;
  readonly task: Task;
  readonly listener: HealthListener;
  /** Source address of HTTP and TCP checks; undefined: what the kernel chooses. */
  readonly from: string | undefined;
}

/** Starts all checks of the task; the returned function ends them. */
export function startHealthChecks(checked: Checked): () => void {
  const abort = new AbortController();
  for (const [index, check] of checked.task.container.healthChecks.entries()) {
    void repeat(checked, index, check, abort.signal);
  }
  return () => abort.abort();
}

async function repeat(
  checked: Checked,
  index: number,
  check: JsonObject,
  signal: AbortSignal,
): Promise<void> {
  const { instance, task, listener } = checked;
  const intervalMs = (numberAt(check, 'intervalSeconds') ?? 60) * 1000;
  const graceEnds = Date.now() + (numberAt(check, 'gracePeriodSeconds') ?? 300) * 1000;
  const maxFailures = numberAt(check, 'maxConsecutiveFailures') ?? 3;

  while (!signal.aborted) {
    const failure = await probe(checked, check);
    if (signal.aborted) return;
    const before = task.health.get(index);
    const result = nextResult(instance.id, before, failure, Date.now() < graceEnds);
    task.health.set(index, result);
    listener.checked(instance, task, check, before?.alive !== result.alive);
    if (maxFailures > 0 && result.consecutiveFailures >= maxFailures) {
      listener.exhausted(instance, task);
      return;
    }
    await pause(intervalMs, signal);
  }
}

/** During the grace period a task that never was healthy is not blamed, though it is listed as not alive. */
function nextResult(
  instanceId: string,
  before: HealthResult | undefined,
  failure: string | null,
  inGrace: boolean,
): HealthResult {
  const now = new Date().toISOString();
  const firstSuccess = before?.firstSuccess ?? null;
  if (failure === null) {
    return {
      alive: true,
      consecutiveFailures: 0,
      firstSuccess: firstSuccess ?? now,
      lastSuccess: now,
      lastFailure: before?.lastFailure ?? null,
      lastFailureCause: before?.lastFailureCause ?? null,
      instanceId,
    };
  }
  const excused = inGrace && firstSuccess === null;
  return {
    alive: false,
    consecutiveFailures: excused ? 0 : (before?.consecutiveFailures ?? 0) + 1,
    firstSuccess,
    lastSuccess: before?.lastSuccess ?? null,
    lastFailure: now,
    lastFailureCause: failure,
    instanceId,
  };
}

/** null: it succeeded; otherwise why not. */
function probe({ instance, task, from }: Checked, check: JsonObject): Promise<string | null> {
  const timeoutMs = (numberAt(check, 'timeoutSeconds') ?? 20) * 1000;
  const protocol = (stringAt(check, 'protocol') ?? 'HTTP').replace('MESOS_', '');
  if (protocol === 'COMMAND') {
    const cmd = stringAt(objectAt(check, 'command'), 'value') ?? 'true';
    const { netns } = instance.agent;
    return runCheck(cmd, { env: taskEnvironment(instance, task), netns, output: 'ignore' }, timeoutMs);
  }

  const port = numberAt(check, 'port') ?? task.hostPorts[numberAt(check, 'portIndex') ?? 0];
  if (port == null) return Promise.resolve('the check names no port of the task');
  const { hostname: host } = instance.agent;
  const where = { host, port, timeout: timeoutMs, ...(from === undefined ? {} : { localAddress: from }) };
  return protocol === 'TCP' ? probeTcp(where) : probeHttp(where, stringAt(check, 'path') ?? '/');
}

function probeTcp(where: TcpNetConnectOpts): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(where);
    const end = (failure: string | null) => {
      socket.destroy();
      resolve(failure);
    };
    socket.once('connect', () => end(null));
    socket.once('timeout', () => end('timed out'));
    socket.once('error', (error) => end(error.message));
  });
}

function probeHttp(where: RequestOptions, path: string): Promise<string | null> {
  return new Promise((resolve) => {
    // No agent: a probe must not keep its connection to a task that is about to be killed.
    const request = get({ ...where, path, agent: false }, ({ statusCode = 0 }) => {
      resolve(statusCode >= 200 && statusCode < 400 ? null : `status ${statusCode}`);
      request.destroy();
    });
    request.once('timeout', () => request.destroy(new Error('timed out')));
    request.once('error', (error) => resolve(error.message));
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
