/** Clients that ask all the time, a new connection for each request, and count who answered. */

import { get } from 'node:http';

export interface Tally {
  readonly requests: number;
  readonly failed: number;
  /** The first failures, in words. */
  readonly errors: readonly string[];
  /** Answers by backend. */
  readonly answers: Readonly<Record<string, number>>;
}

const PAUSE_MS = 25;
const TIMEOUT_MS = 20_000;
const ERRORS_KEPT = 5;

/** Asks until `signal` aborts; what is under way then is still waited for. */
export async function generateLoad(
  url: string,
  signal: AbortSignal,
  told: (tally: Tally) => void,
): Promise<void> {
  let tally: Tally = { requests: 0, failed: 0, errors: [], answers: {} };
  while (!signal.aborted) {
    tally = added(tally, await ask(url));
    told(tally);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

export type Answer = { readonly backend: string } | { readonly error: string };

export function ask(url: string): Promise<Answer> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: TIMEOUT_MS }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => (body += text));
      response.once('end', () => {
        if (response.statusCode === 200) resolve({ backend: body.split(' ')[0] ?? body });
        else resolve({ error: `status ${response.statusCode}` });
      });
      response.once('error', (error) => resolve({ error: error.message }));
    });
    request.once('timeout', () => request.destroy(new Error('timed out')));
    request.once('error', (error) => resolve({ error: error.message }));
  });
}

function added(tally: Tally, answer: Answer): Tally {
  const { requests, failed, errors, answers } = tally;
  if ('error' in answer) {
    const time = new Date().toISOString().slice(11, 23);
    const kept = [...errors, `${time} ${answer.error}`].slice(0, ERRORS_KEPT);
    return { requests: requests + 1, failed: failed + 1, errors: kept, answers };
  }
  const { backend } = answer;
  return {
    requests: requests + 1,
    failed,
    errors,
    answers: { ...answers, [backend]: (answers[backend] ?? 0) + 1 },
  };
}
