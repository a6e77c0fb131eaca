import { BOUNDS } from '../input/bounds.ts';
import type { App, Port } from '../model/app.ts';
import type { Protocol } from '../model/endpoint.ts';
import { isTaskLabelPort, isVipLabel } from '../settings/label-keys.ts';
import { type OptionsReading, type PortOptions, readPortOptions } from '../settings/label-options.ts';
import { FALLBACK_SCHEDULER } from '../settings/schedulers.ts';
import { isProblem, readTarget, type Target } from './target.ts';
import type { VipProblem } from './vip-label.ts';

/** What the meaning of a port's labels depends on besides the app itself. */
export interface HostContext {
  /** Why no IP VIP may have this address at the moment; null when one may. */
  refusal(target: Target): string | null;
  /** The last valid text of a label. */
  remembered(labelKey: string): string | undefined;
  /** Whether the kernel lacks a scheduler. */
  lacks(scheduler: string): boolean;
  /** Addresses of this host; the same object as long as they are the same. */
  readonly localAddresses: ReadonlySet<string>;
  /** Addresses that cannot be a backend's on this host, with the reason; the same object as long as they are the same. */
  readonly unfit: ReadonlyMap<string, string>;
}

export interface Naming {
  /** Cleaned: `l4lb.thisdcos.directory`. */
  readonly zone: string;
  readonly defaults: PortOptions;
}

/** What the labels of a port mean. */
export interface PortReading {
  /** The port's protocols among tcp and udp, each once. */
  readonly protocols: readonly Protocol[];
  /** Protocols that no VIP can have, as written. */
  readonly otherProtocols: readonly string[];
  readonly vips: readonly LabelReading[];
  readonly options: OptionsReading;
}

export interface LabelReading {
  /** Key in `NameMemory.labels`: `marathon /web portDefinitions[0].labels.VIP_0`. */
  readonly key: string;
  /** `portDefinitions[0].labels.VIP_0`, `labels.vip_PORT0` */
  readonly at: string;
  readonly text: string;
  /** What is wrong with the label's own text; null when it is valid. */
  readonly problem: VipProblem | null;
  /** The VIP that counts: that of the label's own text, else that of its last valid text; null when there is none. */
  readonly target: Target | null;
  /** The text that `target` comes from; null when that is the label's own. */
  readonly insteadText: string | null;
}

/** Reads the ports of one app. A port like an earlier one at the same place shares its reading. */
export function createPortReader(
  app: App,
  naming: Naming,
  context: HostContext,
): (port: Port) => PortReading {
  const read = new Map<string, { readonly port: Port; readonly reading: PortReading }>();

  const settle = (text: string): Target | VipProblem => {
    if (text.length > BOUNDS.labelLength)
      return { kind: 'problem', reason: `expected at most ${BOUNDS.labelLength} characters`, ignored: false };
    const target = readTarget(text, app.framework, naming.zone);
    if (isProblem(target)) return target;
    const reason = context.refusal(target);
    return reason === null ? target : { kind: 'problem', reason, ignored: false };
  };

  const readLabel = (port: Port, label: string, text: string): LabelReading => {
    const within = `${port.at}.labels.${label}`;
    const key = `${app.framework} ${app.id} ${within}`;
    const at = isTaskLabelPort(port.at) ? port.at : within;
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
   * The texts that may count in place of an invalid label. A task of an older version follows the definition, which may
   * have been fixed since. Where an app was put together from its tasks, only the last valid text may count, and only for
   * the newest label; where tasks differ from one another, nothing does.
   */
  const insteadOf = (at: string, label: string, text: string, key: string): (string | undefined)[] => {
    if (app.labelsPerTask) return [];
    const newest = definitionText(app, at, label);
    if (app.fromTasks) return newest === text ? [context.remembered(key)] : [];
    // A remembered text belongs to the definition: a label that the definition lacks was removed.
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

/** The defaults, with `wlc` in place of a scheduler that the kernel lacks. */
function defaultsWithout(defaults: PortOptions, lacks: HostContext['lacks']): PortOptions {
  const { scheduler } = defaults;
  // `lacks` is called only where needed, since each call is noted as a dependency of the app.
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
