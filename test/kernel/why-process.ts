/**
 * Walks the way of one question after the other, as `why` does, in a process of its own: a start of the program for each
 * would take most of the time. Not in Jest's process, where errors of Node are none of its `Error`.
 */

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { parseCommandLine } from '../../controller/cli/command-line.ts';
import type { Config } from '../../controller/config/config.ts';
import { messageOf } from '../../controller/errors.ts';
import { createLog } from '../../controller/log.ts';
import type { WhyDocument } from '../../controller/why/document.ts';
import { parseVipQuery } from '../../controller/why/query.ts';
import { explain } from '../../controller/why/trace.ts';
import { desiredHere, whyPorts } from '../../controller/wire/why.ts';

type Answer = { readonly document: WhyDocument } | { readonly error: string };

export class WhyProcess {
  readonly #child: ChildProcess;

  constructor() {
    const execArgv = ['--conditions=ipvs-source', '--disable-warning=ExperimentalWarning'];
    this.#child = fork(import.meta.filename, { execArgv, env: { ...process.env, WHY_PROCESS: 'yes' } });
  }

  /** One at a time. Rejects where the command would print an error. */
  async ask(asked: string, options: readonly string[]): Promise<WhyDocument> {
    const answered = once(this.#child, 'message');
    this.#child.send([asked, ...options]);
    const [answer] = (await answered) as [Answer];
    if ('error' in answer) throw new Error(answer.error);
    return answer.document;
  }

  async end(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }
}

if (process.env['WHY_PROCESS'] === 'yes') {
  process.on('message', async (args: readonly string[]) => {
    process.send?.(await walk(args).catch((error: unknown): Answer => ({ error: messageOf(error) })));
  });
}

async function walk(args: readonly string[]): Promise<Answer> {
  const { config } = parseCommandLine(['why', ...args], {}) as { readonly config: Config };
  const facts = whyPorts(config, desiredHere(config, createLog('error')));
  const asked = parseVipQuery(args[0] ?? '');
  return { document: await explain(asked, facts, Date.now(), AbortSignal.timeout(60_000)) };
}
