/** What a pass means for one MarathonApp, in the form of its status. Pure. */

import { cleanName } from '../../desired/names.ts';
import type { Condition, MarathonAppStatus } from '../../kubernetes/marathon-app.ts';
import type { Declared, Rejection, Service } from '../../model.ts';
import type { Declaration } from '../../source/kubernetes/declaration.ts';
import { visible } from '../../visible.ts';
import type { PassStatus } from '../pass-status.ts';
import { shortfall } from '../shortfall.ts';

/** The object, as far as its status depends on it. */
export interface Subject {
  /** `namespace/name`. */
  readonly key: string;
  readonly generation: number | undefined;
  readonly declaration: Declaration | Rejection;
}

type Verdict = Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>;

/**
 * The status of an object after a pass. `before`: what it has now, whose times of transition stay where nothing has
 * changed. `now`: RFC 3339.
 */
export function appStatus(
  { key, generation, declaration }: Subject,
  pass: PassStatus,
  before: MarathonAppStatus,
  now: string,
): MarathonAppStatus {
  const usable = 'selector' in declaration ? declaration : null;
  const id = usable?.id ?? ('app' in declaration ? declaration.app : '');
  const refused = pass.desired.rejected.filter(({ app, reason }) => app === id && concerns(reason, key));
  const twice = refused.find(({ at, reason }) => at === 'id' && reason.includes(`MarathonApp ${key} `));
  const own = usable === null || twice !== undefined ? [] : declaredBy(usable, pass.desired.declared);
  const vips = own.map((declared) => new Vip(declared, pass));
  const problems = usable === null ? [declaration as Rejection] : refused;

  const verdicts = [accepted(problems, twice, vips), programmed(vips, pass)];
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const conditions = verdicts.map((verdict): Condition => {
    const was = before.conditions?.find(({ type }) => type === verdict.type);
    const lastTransitionTime = was?.status === verdict.status ? was.lastTransitionTime : now;
    // kubectl prints it as it is.
    return { ...verdict, message: visible(verdict.message), ...observed, lastTransitionTime };
  });
  return { ...observed, conditions, ...summary(vips) };
}

/** Of a duplicate only the object that it names is told; everything else is about the app. */
function concerns(reason: string, key: string): boolean {
  return !reason.startsWith('this id in MarathonApp ') || reason.includes(`MarathonApp ${key} `);
}

/** One VIP of an app, as the pass left it. */
class Vip {
  readonly declared: Declared;
  readonly services: readonly Service[];
  readonly shortfalls: readonly string[];

  constructor(declared: Declared, pass: PassStatus) {
    this.declared = declared;
    const found = [...pass.desired.services].filter(([, service]) => serves(service, declared));
    this.services = found.map(([, service]) => service);
    const keys = new Set(found.map(([key]) => key));
    const conflicts = pass.plan.conflicts.filter(({ key }) => keys.has(key));
    const short = shortfall(pass).filter(({ key }) => keys.has(key));
    this.shortfalls = [
      ...conflicts.map(({ key, reason }) => `${key}: ${reason}`),
      ...short.map(
        ({ key, kind }) => `${key}: ${kind === 'missing' ? 'the kernel lacks it' : 'not as desired'}`,
      ),
    ];
  }

  get conflicts(): boolean {
    return this.shortfalls.some((text) => !/: (the kernel lacks it|not as desired)$/.test(text));
  }

  /** `my-service.marathon.l4lb.thisdcos.directory:5555`, `10.1.2.3:80`. */
  get name(): string {
    return this.declared.fqdn ?? this.declared.address ?? '';
  }

  get inRotation(): number {
    const mine = this.services.flatMap(({ backends }) => [...backends.values()]);
    return mine.filter(({ app, weight }) => app === this.declared.app && weight > 0).length;
  }
}

function serves(service: Service, { name, framework, address, protocol, port, app }: Declared): boolean {
  const same =
    name === null ? service.address === address : service.name === name && service.framework === framework;
  return same && service.protocol === protocol && service.port === port && service.apps.includes(app);
}

function declaredBy({ id, framework }: Declaration, declared: readonly Declared[]): readonly Declared[] {
  const clean = cleanName(framework);
  return declared.filter((one) => one.app === id && (one.framework === null || one.framework === clean));
}

function accepted(
  problems: readonly Rejection[],
  twice: Rejection | undefined,
  vips: readonly Vip[],
): Verdict {
  const message = some(problems.map(({ at, value, reason }) => `${at} "${value}": ${reason}`));
  const type = 'Accepted';
  if (twice !== undefined) return { type, status: 'False', reason: 'Conflict', message: twice.reason };
  if (problems.length > 0) {
    const none = vips.length === 0;
    return { type, status: none ? 'False' : 'True', reason: none ? 'Rejected' : 'PartlyRejected', message };
  }
  if (vips.length === 0) return { type, status: 'True', reason: 'NoVip', message: 'no port has a VIP label' };
  return { type, status: 'True', reason: 'Accepted', message: '' };
}

function programmed(vips: readonly Vip[], pass: PassStatus): Verdict {
  const not = (reason: string, message: string): Verdict => ({
    type: 'Programmed',
    status: 'False',
    reason,
    message,
  });
  if (vips.length === 0) return not('NoVip', 'there is no VIP to program');
  if (pass.error !== null) return not('KernelError', pass.error);
  const short = vips.flatMap(({ shortfalls }) => shortfalls);
  if (short.length > 0)
    return not(vips.some(({ conflicts }) => conflicts) ? 'Conflict' : 'Pending', some(short));
  const empty = vips.filter(({ services }) => services.length === 0);
  if (empty.length > 0) return not('NoEndpoints', `no endpoint yet: ${some(empty.map(({ name }) => name))}`);
  return { type: 'Programmed', status: 'True', reason: 'Programmed', message: '' };
}

const LONGEST_LIST = 10;

/** A message must stay readable, and within what the server takes. */
function some(texts: readonly string[]): string {
  const rest = texts.length - LONGEST_LIST;
  const shown = texts.slice(0, LONGEST_LIST).join('; ');
  return (rest > 0 ? `${shown}; and ${rest} more` : shown).slice(0, 4_000);
}

function summary(vips: readonly Vip[]): Omit<MarathonAppStatus, 'conditions' | 'observedGeneration'> {
  const entries = vips.map(({ name, declared, services, inRotation }) => ({
    name,
    protocol: declared.protocol,
    port: declared.port,
    addresses: services.map(({ address }) => address),
    backends: declared.backends,
    inRotation,
  }));
  const [first, ...others] = entries;
  if (first === undefined) return { vips: [] };
  const more = others.length === 0 ? '' : ` +${others.length}`;
  return {
    vip: `${first.name}:${first.port}${more}`,
    ...(first.addresses.length > 0 && { address: first.addresses.join(',') }),
    backends: `${total(entries.map(({ inRotation }) => inRotation))}/${total(entries.map(({ backends }) => backends))}`,
    vips: entries,
  };
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}
