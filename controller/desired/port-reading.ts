import { isVipLabel } from '../label-keys.ts';
import type { PortOptions } from '../label-options.ts';
import type { App, Port, Protocol } from '../model.ts';
import { FALLBACK_SCHEDULER } from '../schedulers.ts';
import { type OptionsReading, readPortOptions } from './port-options.ts';
import { isProblem, readTarget, type Target } from './target.ts';
import type { VipProblem } from './vip-label.ts';

/** What the labels of a port mean depends on these besides the app itself. */
export interface HostContext {
  /** Why nobody may have this address as an IP VIP just now; null when one may. */
  refusal(target: Target): string | null;
  /** The text of a label when it was last valid. */
  remembered(labelKey: string): string | undefined;
  /** Whether the kernel lacks a scheduler. */
  lacks(scheduler: string): boolean;
  /** Addresses of the host for which this is decided; the same object while they are the same. */
  readonly localAddresses: ReadonlySet<string>;
  /** Addresses at which no backend can be on this host, with why; the same object while they are the same. */
  readonly unfit: ReadonlyMap<string, string>;
}

export interface Naming {
  /** Cleaned: `l4lb.thisdcos.directory`. */
  readonly zone: string;
  readonly defaults: PortOptions;
}

/** A port's labels, read. */
export interface PortReading {
  /** tcp and udp of the port, each once. */
  readonly protocols: readonly Protocol[];
  /** Protocols that give no VIP, as written. */
  readonly otherProtocols: readonly string[];
  readonly vips: readonly LabelReading[];
  readonly options: OptionsReading;
}

export interface LabelReading {
  /** Key in `NameMemory.labels`: `marathon /web portDefinitions[0].labels.VIP_0`. */
  readonly key: string;
  /** `portDefinitions[0].labels.VIP_0` */
  readonly at: string;
  readonly text: string;
  /** Why the text itself gives no VIP; null when it does. */
  readonly problem: VipProblem | null;
  /** What the label means now: its own VIP, or the last valid one; null when there is none. */
  readonly target: Target | null;
  /** The text that `target` comes from when it is not the label's own. */
  readonly insteadText: string | null;
}

/** Reads ports of one app; a port that reads like an earlier one of the same place is not read again. */
export function createPortReader(
  app: App,
  naming: Naming,
  context: HostContext,
): (port: Port) => PortReading {
  const read = new Map<string, { readonly port: Port; readonly reading: PortReading }>();

  const settle = (text: string): Target | VipProblem => {
    const target = readTarget(text, app.framework, naming.zone);
    if (isProblem(target)) return target;
    const reason = context.refusal(target);
    return reason === null ? target : { kind: 'problem', reason, ignored: false };
  };

  const readLabel = (port: Port, label: string, text: string): LabelReading => {
    const at = `${port.at}.labels.${label}`;
    const key = `${app.framework} ${app.id} ${at}`;
    const own = settle(text);
    if (!isProblem(own)) return { key, at, text, problem: null, target: own, insteadText: null };

    for (const instead of insteadOf(port.at, label, text, key)) {
      if (instead === undefined || instead === text) continue;
      const target = settle(instead);
      if (!isProblem(target)) return { key, at, text, problem: own, target, insteadText: instead };
    }
    return { key, at, text, problem: own, target: null, insteadText: null };
  };

  /**
   * What counts where the label has no meaning. A task of an older version follows the definition, which may have been
   * mended since. What other tasks say is no definition: there only the newest text may be a label that was valid once,
   * and none where the tasks are no copies of one another.
   */
  const insteadOf = (at: string, label: string, text: string, key: string): (string | undefined)[] => {
    if (app.labelsPerTask) return [];
    const newest = definitionText(app, at, label);
    if (app.fromTasks) return newest === text ? [context.remembered(key)] : [];
    // What is remembered is the definition's: a label that it lacks was taken away.
    return newest === undefined ? [] : [newest, context.remembered(key)];
  };

  const lacks = (scheduler: string) => context.lacks(scheduler);
  const defaults = defaultsWithout(naming.defaults, lacks);

  return (port) => {
    const known = read.get(port.at);
    if (known !== undefined && readsAlike(known.port, port)) return known.reading;

    const labels = Object.entries(port.labels).filter(([label]) => isVipLabel(label));
    const reading: PortReading = {
      ...readProtocols(port),
      vips: labels.map(([label, text]) => readLabel(port, label, text)),
      options: readPortOptions(port.labels, defaults, lacks),
    };
    read.set(port.at, { port, reading });
    return reading;
  };
}

/** What ports without labels get where the kernel lacks the scheduler that the operator chose. */
export function defaultsWithout(defaults: PortOptions, lacks: HostContext['lacks']): PortOptions {
  const { scheduler } = defaults;
  // Asked for the few that chose another one: an answer is remembered for each app.
  if (scheduler === FALLBACK_SCHEDULER || !lacks(scheduler)) return defaults;
  return { ...defaults, scheduler: FALLBACK_SCHEDULER };
}

function definitionText(app: App, at: string, label: string): string | undefined {
  return app.ports.find((port) => port.at === at)?.labels[label];
}

function readProtocols({ protocols }: Port): Pick<PortReading, 'protocols' | 'otherProtocols'> {
  const known = new Set<Protocol>();
  const others: string[] = [];
  for (const protocol of protocols) {
    const lower = protocol.toLowerCase();
    if (lower === 'tcp' || lower === 'udp') known.add(lower);
    else others.push(protocol);
  }
  return { protocols: [...known], otherProtocols: others };
}

function readsAlike(a: Port, b: Port): boolean {
  return sameList(a.protocols, b.protocols) && (a.labels === b.labels || sameLabels(a.labels, b.labels));
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((item, i) => item === b[i]));
}

function sameLabels(a: Port['labels'], b: Port['labels']): boolean {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key])
  );
}
