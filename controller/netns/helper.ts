import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { ControllerError, messageOf } from '../errors.ts';
import type { IpvsTable, Reachability } from '../ports.ts';
import { type Answer, type Call, toSent } from './calls.ts';

export interface HelperPorts {
  readonly table: IpvsTable;
  readonly reachability: Reachability;
}

/**
 * Does what it is asked for over `input` with the ports of this network namespace, and answers over `output`. It decides
 * nothing and remembers nothing. Resolves when `input` ends: the program that asks has ended, whatever the reason.
 */
export async function serveCalls(ports: HelperPorts, input: Readable, output: Writable): Promise<void> {
  // Nobody reads any more: `input` ends then, too.
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
  if (isCall(call, 'observe')) return toSent(await table.observe(call.given ?? undefined));
  if (isCall(call, 'observeInBackground')) return toSent(await table.observeInBackground((read) => read));
  if (isCall(call, 'apply')) {
    const { given: steps } = call;
    const failures = await table.apply(steps);
    return failures.map(({ step, error, why }) => ({ step: steps.indexOf(step), error: error.message, why }));
  }
  if (isCall(call, 'ensure')) return await reachability.ensure(call.given);
  if (isCall(call, 'repair')) return await reachability.repair();
  if (isCall(call, 'exists')) return await reachability.exists();
  return await reachability.remove();
}

function isCall<Name extends Call['call']>(call: Call, name: Name): call is Call<Name> {
  return call.call === name;
}
