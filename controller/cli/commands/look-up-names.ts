import { resolveConfig } from '../../config/config.ts';
import type { Environment, Given } from '../../config/given.ts';
import { describeOption } from '../../config/options.ts';
import { contextNames } from '../../kubernetes/context-names.ts';
import { statusDocument } from '../../status/document.ts';
import { visible } from '../../visible.ts';
import type { Known } from '../completion/grammar.ts';
import type { Offer, Typed } from '../completion/offers.ts';
import { openController } from './controller.ts';
import { query } from './query.ts';

/** Longer than a person waits for a word. */
const ANSWER_MS = 1_000;

/**
 * Finds words that are known elsewhere: VIPs, apps and network namespaces of the running controller that the options before, the environment and
 * the file name; contexts of a kubeconfig file. Rejects where they cannot be found out.
 */
export async function lookUp(
  known: Known,
  typed: Typed,
  environment: Environment,
  signal: AbortSignal,
): Promise<readonly Offer[]> {
  return known === 'context'
    ? await contexts(environment)
    : await ofController(known, typed, environment, signal);
}

async function ofController(
  known: Exclude<Known, 'context'>,
  { flags }: Typed,
  environment: Environment,
  signal: AbortSignal,
): Promise<readonly Offer[]> {
  const config = resolveConfig('status', flags.flatMap(givenBy).toReversed(), environment);
  const controller = await openController(config);
  const { document } = await query(controller, '/v1/status', statusDocument, signal, ANSWER_MS);
  if (known === 'netns') {
    const namespaces = document.networkNamespaces?.namespaces ?? [];
    return namespaces
      .filter(({ id }) => visible(id) === id)
      .map(({ id }) => ({ value: id, description: 'network namespace' }));
  }
  const apps = document.vips.flatMap((vip) => vip.apps);
  const names = document.vips.flatMap(({ name, framework }) =>
    name === null ? [] : [`${name}.${framework}`],
  );
  const values = new Set(known === 'app' ? apps : [...names, ...apps]);
  // One that a terminal would not show as it is could not be typed either.
  return [...values]
    .filter((value) => visible(value) === value)
    .sort()
    .map((value) => ({ value, description: value.startsWith('/') ? 'app' : 'VIP' }));
}

/** Options that may be given several times say nothing of where the controller is. */
function givenBy({ flag: { option: name }, text }: Typed['flags'][number]): Given[] {
  if (name === null || describeOption(name).repeatable === true) return [];
  return [{ name, origin: 'flag', place: 'on the command line', text }];
}

async function contexts(environment: Environment): Promise<readonly Offer[]> {
  return (await contextNames(environment))
    .filter((name) => visible(name) === name)
    .map((name) => ({ value: `kubernetes=${name}`, description: 'context of Kubernetes' }));
}
