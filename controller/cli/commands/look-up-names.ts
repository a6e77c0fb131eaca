import { resolveConfig } from '../../config/config.ts';
import type { Environment, OptionText } from '../../config/option-text.ts';
import { describeOption } from '../../config/options.ts';
import { contextNames } from '../../kubernetes/kubeconfig.ts';
import { statusDocument } from '../../status/document.ts';
import { visible } from '../../text/visible.ts';
import type { NameKind } from '../completion/grammar.ts';
import type { Offer, Typed } from '../completion/offers.ts';
import { openController } from './controller.ts';
import { query } from './query.ts';

/** Longer than anybody waits for a completion. */
const ANSWER_MS = 1_000;

/**
 * Looks up names for completion: VIPs, apps and network namespaces of the running controller, which options, environment and
 * configuration file locate; or the contexts of a kubeconfig file. Rejects if the lookup fails.
 */
export async function lookUpNames(
  kind: NameKind,
  typed: Typed,
  environment: Environment,
  signal: AbortSignal,
): Promise<readonly Offer[]> {
  return kind === 'context'
    ? await contexts(environment)
    : await ofController(kind, typed, environment, signal);
}

async function ofController(
  kind: Exclude<NameKind, 'context'>,
  { flags }: Typed,
  environment: Environment,
  signal: AbortSignal,
): Promise<readonly Offer[]> {
  const config = resolveConfig('status', flags.flatMap(givenBy).toReversed(), environment);
  const controller = await openController(config);
  const { document } = await query(controller, '/v1/status', statusDocument, signal, ANSWER_MS);
  if (kind === 'netns') {
    const namespaces = document.networkNamespaces?.namespaces ?? [];
    return namespaces
      .filter(({ id }) => visible(id) === id)
      .map(({ id }) => ({ value: id, description: 'network namespace' }));
  }
  const apps = document.vips.flatMap((vip) => vip.apps);
  const names = document.vips.flatMap(({ name, framework }) =>
    name === null ? [] : [`${name}.${framework}`],
  );
  const values = new Set(kind === 'app' ? apps : [...names, ...apps]);
  // A name with characters that a terminal does not show cannot be typed either.
  return [...values]
    .filter((value) => visible(value) === value)
    .sort()
    .map((value) => ({ value, description: value.startsWith('/') ? 'app' : 'VIP' }));
}

/** The options that locate the controller; repeatable options never do. */
function givenBy({ flag: { option: name }, text }: Typed['flags'][number]): OptionText[] {
  if (name === null || describeOption(name).repeatable === true) return [];
  return [{ name, origin: 'flag', place: 'on the command line', text }];
}

async function contexts(environment: Environment): Promise<readonly Offer[]> {
  return (await contextNames(environment))
    .filter((name) => visible(name) === name)
    .map((name) => ({ value: `kubernetes=${name}`, description: 'context of Kubernetes' }));
}
