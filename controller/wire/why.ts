/** Wires the ports of `why`. */

import { openController } from '../cli/commands/controller.ts';
import { readAndPass } from '../cli/commands/once.ts';
import { query } from '../cli/commands/query.ts';
import type { Config } from '../config/config.ts';
import { optionAsWritten } from '../config/option-text.ts';
import { describeOption, type OptionName } from '../config/options.ts';
import { ControllerError, messageOf } from '../errors.ts';
import { whyNoNamespace } from '../netns/namespace-file.ts';
import type { Log } from '../ports.ts';
import { statusDocument } from '../status/document.ts';
import { systemClock } from '../time.ts';
import { desiredFromPass, desiredFromStatus } from '../why/desired-state.ts';
import { type WhyDocument, whyDocument } from '../why/document.ts';
import type { DesiredState, WhyPorts } from '../why/facts.ts';
import { namespacePath } from '../why/read/client.ts';
import { readNames } from '../why/read/names.ts';
import { type Readers, readersHere } from './netns-facts.ts';
import { namespaceOf, readersIn } from './netns-named.ts';
import { wire } from './wire.ts';

/** Creates ports that read this host and network namespace, and the desired state through `desired`. */
export function whyPorts(
  { interface: interfaceName, dnsListen, fromNetns }: WhyOptions,
  desired: WhyPorts['desired'],
): WhyPorts {
  return portsWith(readersHere, { interfaceName, dnsListen, client: fromNetns ?? null, desired });
}

type WhyOptions = Pick<Config, 'interface' | 'dnsListen' | 'fromNetns'>;

/**
 * Creates ports that read the network namespace of `--netns`, or this one. Rejects with a `ControllerError` as `namespaceOf` does,
 * and if `--from-netns` is no network namespace.
 */
export async function whyPortsOf(config: Config, desired: WhyPorts['desired']): Promise<WhyPorts> {
  const namespace = await namespaceOf(config);
  if (namespace === null) {
    await refuseMissing(config);
    return whyPorts(config, desired);
  }
  refuseBoth(config, 'fromNetns', 'netns');
  const { path: client } = namespace;
  const { interface: interfaceName, dnsListen } = config;
  const ports = portsWith(readersIn(namespace), { interfaceName, dnsListen, client, desired });
  return { ...ports, namespace: client };
}

function portsWith(
  { kernel, route, filters, limits, connections }: Readers,
  { interfaceName, dnsListen, client, desired }: PortOptions,
): WhyPorts {
  return {
    client,
    sleep: systemClock.sleep,
    desired,
    names: (vip) => readNames(vip, client, dnsListen),
    kernel,
    route: (vip) => route(vip, interfaceName),
    filters,
    limits,
    connections: (vip, count) => connections(vip, client, count),
  };
}

interface PortOptions extends Pick<Config, 'dnsListen'>, Pick<WhyPorts, 'client' | 'desired'> {
  readonly interfaceName: string;
}

/** The client's namespace is entered by the last stage only, which a VIP without backends never reaches: check it first. */
async function refuseMissing(config: Config): Promise<void> {
  if (config.fromNetns === undefined) return;
  const reason = await whyNoNamespace(namespacePath(config.fromNetns));
  if (reason === null) return;
  const { accepted } = describeOption('fromNetns');
  const message = `${optionAsWritten(config, 'fromNetns')} ${config.fromNetns}: ${reason}; expected ${accepted}`;
  throw new ControllerError('usage', message, { retry: 'never' });
}

function refuseBoth(config: Config, one: OptionName, other: OptionName): void {
  if (config[one] === undefined || config[other] === undefined) return;
  const message = `${optionAsWritten(config, one)} and ${optionAsWritten(config, other)} are both given, expected one of them`;
  throw new ControllerError('usage', message, { retry: 'never' });
}

/** Reads the desired state from the running controller, or from the sources if none answers. */
export function desiredHere(config: Config, log: Log): WhyPorts['desired'] {
  return async (signal) => {
    try {
      if (config.listen !== null && config.listen.port !== 0) return await askStatus(config, signal);
    } catch (error) {
      if (signal.aborted || config.source.length === 0) throw error;
      log.debug('no controller answers, reading the sources instead', { error: messageOf(error) });
    }
    if (config.source.length > 0) return await readSources(config, log, signal);
    throw new ControllerError(
      'usage',
      'why: no controller runs here and --source is missing, expected one of them',
      { retry: 'never' },
    );
  };
}

/** Queries the controller at `--server` about its own host. Rejects with a `ControllerError` as `ask` does. */
export async function askElsewhere(config: Config, asked: string, signal: AbortSignal): Promise<WhyDocument> {
  refuseBoth(config, 'fromNetns', 'server');
  refuseBoth(config, 'netns', 'server');
  const controller = await openController(config);
  const path = `/v1/why?vip=${encodeURIComponent(asked)}`;
  return (await query(controller, path, whyDocument, signal, ELSEWHERE_MS)).document;
}

/** Longer than the time limit of the controller. */
const ELSEWHERE_MS = 40_000;

async function askStatus(config: Config, signal: AbortSignal): Promise<DesiredState> {
  const controller = await openController(config);
  const { document } = await query(controller, '/v1/status', statusDocument, signal);
  return desiredFromStatus(document, controller.url);
}

async function readSources(config: Config, log: Log, signal: AbortSignal): Promise<DesiredState> {
  const looking = { ...config, once: true, dryRun: true, dnsListen: [] };
  const parts = await wire(looking, log).catch((error: unknown) => {
    if (!(error instanceof ControllerError) || error.code !== 'kernel') throw error;
    // The stage `kernel` reports that the kernel cannot be read.
    return wire({ ...looking, netns: undefined, against: { kind: 'none' } }, log);
  });
  try {
    const { pass } = await readAndPass(parts, signal);
    return desiredFromPass(
      pass,
      parts.sources.map(({ name }) => name),
    );
  } finally {
    parts.close();
  }
}
