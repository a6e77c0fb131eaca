import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { ControllerError, messageOf } from '../errors.ts';
import type { IpvsTable, Reachability } from '../ports.ts';
import { type Answer, type Call, toWire } from './calls.ts';

export interface HelperPorts {
  readonly table: IpvsTable;
  readonly reachability: Reachability;
}

/**
 * Serves calls from `input` with the ports of this network namespace, and writes the answers to `output`. Keeps no state and
 * makes no decisions. Resolves when `input` ends, since the controller has then ended for whatever reason.
 */
export async function serveCalls(ports: HelperPorts, input: Readable, output: Writable): Promise<void> {
  // If nothing reads the output any more, `input` ends too.
  output.on('error', () => undefined);
  const running = new Set<Promise<void>>();
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const call = JSON.parse(line) as Call;
    const done = answerTo(call, ports)
      .then((answer) => {
        output.write(`${JSON.stringify(answer)}\n`);
      })
      .finally(() => running.delete(done));
    running.add(done);
  }
  await Promise.all(running);
}

async function answerTo(call: Call, ports: HelperPorts): Promise<Answer> {
  const { id } = call;
  try {
    return { id, answer: await make(call, ports) };
  } catch (error) {
    const retry = error instanceof ControllerError ? error.retry : 'later';
    return { id, error: messageOf(error), retry };
  }
}

async function make(call: Call, { table, reachability }: HelperPorts): Promise<unknown> {
  if (isCall(call, 'observe')) return toWire(await table.observe(call.args ?? undefined));
  if (isCall(call, 'observeInBackground')) return toWire(await table.observeInBackground((read) => read));
  if (isCall(call, 'apply')) {
    const { args: steps } = call;
    const failures = await table.apply(steps);
    return failures.map(({ step, error, why }) => ({ step: steps.indexOf(step), error: error.message, why }));
  }
  if (isCall(call, 'ensure')) return await reachability.ensure(call.args);
  if (isCall(call, 'repair')) return await reachability.repair();
  if (isCall(call, 'exists')) return await reachability.exists();
  return await reachability.remove();
}

function isCall<Name extends Call['call']>(call: Call, name: Name): call is Call<Name> {
  return call.call === name;
}
