import type { Config } from '../../../config/config.ts';
import type { ForecastVip } from '../../../desired/forecast.ts';
import { ControllerError } from '../../../errors.ts';
import type { App, Rejection } from '../../../model/app.ts';
import type { AppRef, WriteAccepted, WriteResult } from '../../../model/app-writes.ts';
import { checkDefinition, readDefinition } from '../../../source/document/definition.ts';
import { absoluteId } from '../../../source/document/documents.ts';
import { plural } from '../../../status/format.ts';
import { instancesText } from '../../../status/progress.ts';
import { visible } from '../../../text/visible.ts';
import { documentText } from '../../document-text.ts';
import { EXIT_DIFFERENT, EXIT_ERROR, EXIT_OK } from '../../exit-status.ts';
import type { AppClient } from './app-client.ts';
import { changeOf, readText, shownFile } from './change.ts';
import { follow, type Outcome } from './follow.ts';
import { mistakesOf, printForecast, printMistakes } from './forecast.ts';
import { type AppPorts, refusalLines } from './messages.ts';

/** The context of one command. */
export interface Session {
  readonly config: Config;
  readonly client: AppClient;
  readonly ports: AppPorts;
  readonly signal: AbortSignal;
}

/**
 * Checks the definition in a file (`-` or null: standard input), prints its VIPs and deploys it. Mistakes are printed before
 * any request to Marathon. Resolves with the exit status: 1 if the deployment did not finish, 2 if nothing was sent or
 * Marathon refused it.
 */
export async function add(kind: AppRef['kind'], file: string | null, session: Session): Promise<number> {
  const { client, ports, config, signal } = session;
  const text = await readText(file, ports);
  const { framework = ANY_FRAMEWORK } = config;
  const read = readDefinition(text, kind, { where: shownFile(file), framework });
  const mistakes = 'mistakes' in read ? read.mistakes : mistakesOf(read.app, client.translate);
  if ('mistakes' in read || mistakes.length > 0) return refuse(mistakes, session);
  const vips = await vipsOf({ ...read.app, framework: await client.framework(signal) }, session);
  if (vips === null) return EXIT_ERROR;
  const ref = { kind, id: read.app.id };
  const result = await client.writer.add(kind, withoutMark(text), { signal, force: config.force });
  return await conclude({ what: 'add', ref, vips }, result, session);
}

/** Changes an app by `KEY=VALUE…`, or by the fields in a file. Resolves like `add`. */
export async function update(operand: string, changes: readonly string[], session: Session): Promise<number> {
  const { client, ports, config, signal } = session;
  const ref = { kind: 'app', id: absoluteId(operand, '/') } as const;
  const change = await changeOf(changes, ports);
  const { framework = ANY_FRAMEWORK } = config;
  if (checkUpdate(ref.id, change.fields, framework, session) === null) return EXIT_ERROR;
  const before = await client.writer.show(ref, signal);
  if (typeof before !== 'object' || before === null) {
    ports.printError(`update ${ref.id}: the app does not exist; app add creates it`);
    return EXIT_ERROR;
  }
  // Like Marathon, whose PUT replaces the given fields.
  const merged = { ...before, ...change.fields };
  const app = checkUpdate(ref.id, merged, await client.framework(signal), session);
  const vips = app === null ? null : await vipsOf(app, session);
  if (vips === null) return EXIT_ERROR;
  const result = await client.writer.update(ref, change.text, { signal, force: config.force });
  return await conclude({ what: 'update', ref, vips }, result, session);
}

/** Stands in for Marathon's framework name where the result does not depend on it. */
const ANY_FRAMEWORK = 'marathon';

/** The app with this id and these fields; prints their mistakes and returns null if there are any. */
function checkUpdate(
  id: string,
  fields: Readonly<Record<string, unknown>>,
  framework: string,
  session: Session,
): App | null {
  const read = checkDefinition({ ...fields, id: fields['id'] ?? id }, 'app', { where: id, framework });
  if ('mistakes' in read) return printMistakes(read.mistakes, 'Marathon', session.ports);
  if (read.app.id === id) return read.app;
  session.ports.printError(
    `update ${id}: the definition has the id ${read.app.id}, and an id cannot be changed`,
  );
  return null;
}

/** Removes an app. Resolves like `add`. */
export async function remove(operand: string, session: Session): Promise<number> {
  const { client, config, signal } = session;
  const ref = { kind: 'app', id: absoluteId(operand, '/') } as const;
  const result = await client.writer.remove(ref, { signal, force: config.force });
  return await conclude({ what: 'remove', ref, vips: [] }, result, session);
}

function refuse(mistakes: readonly Rejection[], { ports }: Session): number {
  printMistakes(mistakes, 'Marathon', ports);
  return EXIT_ERROR;
}

async function vipsOf(app: App, session: Session): Promise<readonly ForecastVip[] | null> {
  const { config, client, ports, signal } = session;
  const context = { cluster: await client.read(signal), translate: client.translate };
  return printForecast(app, context, 'Marathon', config, ports);
}

interface Undertaking {
  readonly what: 'add' | 'update' | 'remove';
  readonly ref: AppRef;
  readonly vips: readonly ForecastVip[];
}

async function conclude(undertaking: Undertaking, result: WriteResult, session: Session): Promise<number> {
  const { what, ref, vips } = undertaking;
  if (result.result === 'refused') {
    for (const line of refusalLines(`${what} ${ref.id}`, result)) session.ports.printError(line);
    return EXIT_ERROR;
  }
  if (!session.config.wait || result.deployment === null) {
    printResult(undertaking, result, null, session);
    return EXIT_OK;
  }
  try {
    const { config, client, ports, signal } = session;
    const goal = { ref, vips: what === 'remove' ? ('gone' as const) : vips.length };
    const outcome = await follow(result.deployment, goal, client, config, ports, signal);
    printResult(undertaking, result, outcome, session);
    return outcome.done ? EXIT_OK : EXIT_DIFFERENT;
  } catch (error) {
    if (session.signal.aborted) {
      session.ports.printError(`no longer following; deployment ${result.deployment} continues at Marathon`);
      return EXIT_DIFFERENT;
    }
    if (!(error instanceof ControllerError)) throw error;
    session.ports.printError(
      `Marathon accepted it (deployment ${result.deployment}); its progress is unknown: ${error.message}`,
    );
    return EXIT_ERROR;
  }
}

const DONE = { add: 'deployed', update: 'updated', remove: 'removed' } as const;

function printResult(
  { what, ref, vips }: Undertaking,
  { deployment, version }: WriteAccepted,
  outcome: Outcome | null,
  { config, ports }: Session,
): void {
  const document = {
    [ref.kind]: ref.id,
    result: outcome === null ? 'accepted' : outcome.done ? DONE[what] : 'ended otherwise',
    deployment,
    version,
    vips,
    instances: outcome?.instances ?? null,
    backendsInRotationHere: outcome?.inRotation ?? null,
  };
  ports.print(
    documentText(
      config.output,
      document,
      () => `${visible(sentence(what, ref, deployment, outcome, config))}\n`,
    ),
  );
}

function sentence(
  what: Undertaking['what'],
  { id }: AppRef,
  deployment: string | null,
  outcome: Outcome | null,
  { progressDeadlineSeconds }: Config,
): string {
  if (outcome === null) {
    return deployment === null
      ? `${id}: nothing to do`
      : `${id}: Marathon accepted it as deployment ${deployment}`;
  }
  const { done, instances, inRotation, stalledAt } = outcome;
  if (stalledAt !== null) {
    return `no progress of ${id} for ${progressDeadlineSeconds} s: ${stalledAt}; deployment ${deployment} continues at Marathon`;
  }
  const here = inRotation === null ? '' : `, ${plural(inRotation, 'backend')} in rotation on this host`;
  const count = instances === null ? '' : `: ${instancesText(instances)}`;
  if (done) return what === 'remove' ? `${id} is removed${here}` : `${id} is ${DONE[what]}${count}${here}`;
  const why =
    instances === null
      ? ': the app does not exist at Marathon'
      : what === 'remove'
        ? ': the app still exists'
        : count;
  return `deployment ${deployment} of ${id} was cancelled or did not finish${why}${here}`;
}

/** Removes a byte order mark, which Marathon would reject. */
function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
