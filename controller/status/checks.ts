/** Named health checks over the controller's status, as Kubernetes components have them. */

import type { PassStatus } from '../pass-status.ts';
import { heldText } from '../plan/held-text.ts';
import type { Conflict } from '../plan/plan.ts';
import type { Shortfall } from '../plan/shortfall.ts';
import { keptText } from '../plan/unclaimed.ts';
import type { SourceStatus, Status } from './status.ts';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** Why the check failed, or which exceptions it allowed; null if there is nothing to say. */
  readonly message: string | null;
}

/** Intervals after which silence means a failure, in milliseconds. */
export interface HealthLimits {
  /** The loop sends a heartbeat every few seconds; a pass over the largest table takes a few seconds. */
  readonly loopMs: number;
  /** A source is read completely, or reports a failure, at least this often. */
  readonly relistMs: number;
  /** The loop reads the kernel's whole table this often. */
  readonly resyncMs: number;
}

/** The limits that match the default options. */
export const DEFAULT_LIMITS: HealthLimits = { loopMs: 60_000, relistMs: 300_000, resyncMs: 30_000 };

/** Allowance for jitter, a timeout and one or two retries before a due read counts as missing. */
const GRACE_MS = 60_000;

/** Whether the process is alive: the loop moves. This is the only failure that a restart repairs. */
export function livez(status: Status, now: number, limits: HealthLimits): readonly Check[] {
  return [loopCheck(status, now, limits)];
}

/**
 * Whether VIPs forward as the sources want: every source was read once, or loaded from disk, and the kernel is as
 * desired.
 *
 * These pass, and are named in the message: a stale source, a rejected app, another program's service at the address of
 * a VIP, a held mass removal, what may belong to an unknown part of a source, ejected backends, network namespaces that are not in sync, advice about kernel settings.
 */
export function readyz(status: Status, now: number, limits: HealthLimits): readonly Check[] {
  const { lastPass } = status;
  const checks = [
    kernelCheck(status, now, limits),
    reachabilityCheck(status),
    appsCheck(lastPass),
    conflictsCheck(lastPass?.plan.conflicts ?? []),
    removalsCheck(lastPass, now),
    ...ejectionCheck(status, now),
    ...namespacesCheck(status),
    ...status.sources.map((source) => sourceCheck(source, now, limits)),
  ];
  return checks.sort(byName);
}

/** The checks of `livez` and `readyz` together. */
export function healthz(status: Status, now: number, limits: HealthLimits): readonly Check[] {
  return [...livez(status, now, limits), ...readyz(status, now, limits)].sort(byName);
}

function loopCheck({ movedAt }: Status, now: number, { loopMs }: HealthLimits): Check {
  const still = now - movedAt;
  return check('loop', still <= loopMs, still <= loopMs ? null : `no heartbeat for ${seconds(still)}`);
}

function kernelCheck(status: Status, now: number, limits: HealthLimits): Check {
  const { lastPass, dryRun } = status;
  const failed = (message: string) => check('kernel', false, message);
  if (lastPass === null) return failed('no pass yet');
  if (lastPass.error !== null) return failed(lastPass.error);
  const idle = now - lastPass.finishedAt;
  if (idle > 2 * limits.resyncMs + GRACE_MS) return failed(`last pass ${seconds(idle)} ago`);

  const [failure] = lastPass.failures;
  if (failure !== undefined) {
    return failed(`${count(lastPass.failures, 'step')} failed: ${failure.step}: ${failure.message}`);
  }
  const restored = status.sources.some(({ fromDiskOf }) => fromDiskOf !== null);
  const { wrong, excused } = splitShortfall(lastPass.shortfall, restored);
  if (wrong.length > 0) {
    const why = dryRun ? 'dry run, nothing is written: ' : '';
    return failed(`${why}${count(wrong, 'VIP')} not as desired: ${some(wrong.map(inWords))}`);
  }
  if (lastPass.waiting > 0) return failed(`${lastPass.waiting} failed steps wait for their retry`);
  const left = `${count(excused, 'VIP')} left as found until the source is read: ${some(excused.map(inWords))}`;
  const notes = [...(excused.length === 0 ? [] : [left]), ...refusedBackends(lastPass)];
  return check('kernel', true, notes.length === 0 ? null : notes.join('; '));
}

/** A note only: one app's bad addresses must not make the host unready. */
function refusedBackends({ refused }: PassStatus): readonly string[] {
  if (refused.length === 0) return [];
  const what = `${refused.length} backend address${refused.length === 1 ? '' : 'es'}`;
  const addresses = refused.map(({ address }) => address);
  return [`${what} left out, since the kernel refuses them as destinations: ${some(addresses)}`];
}

/** With a state from disk only missing VIPs are added (rule 2); other differences wait until the source is read. */
function splitShortfall(all: readonly Shortfall[], restored: boolean) {
  const isWrong = ({ kind }: Shortfall) => !restored || kind === 'missing';
  return { wrong: all.filter(isWrong), excused: all.filter((one) => !isWrong(one)) };
}

function inWords({ key, kind }: Shortfall): string {
  return kind === 'left' ? `${key} not removed` : `${key} ${kind}`;
}

function reachabilityCheck({ lastPass, dryRun }: Status): Check {
  if (lastPass === null) return check('reachability', false, 'no pass yet');
  const { problems, advice } = lastPass;
  if (problems.length > 0) return check('reachability', false, some(problems));
  const notes = dryRun ? ['not checked in a dry run', ...advice] : advice;
  return check('reachability', true, notes.length === 0 ? null : some(notes));
}

function appsCheck(pass: PassStatus | null): Check {
  const rejected = pass?.desired.rejected ?? [];
  if (rejected.length === 0) return check('apps', true, null);
  const where = rejected.map(({ app, at }) => (at === '' ? app : `${app} ${at}`));
  return check('apps', true, `${rejected.length} rejected: ${some(where)}`);
}

function conflictsCheck(conflicts: readonly Conflict[]): Check {
  if (conflicts.length === 0) return check('conflicts', true, null);
  const keys = conflicts.map(({ key }) => key);
  return check('conflicts', true, `${count(keys, 'VIP')} taken by another program: ${some(keys)}`);
}

/** Always passes: what is held, or may belong to an unknown part of a source, keeps forwarding. */
function removalsCheck(pass: PassStatus | null, now: number): Check {
  const kept = pass === null ? null : keptText(pass);
  const notes = [heldNote(pass?.held ?? null, now), kept].filter((note) => note !== null);
  return check('removals', true, notes.length === 0 ? null : notes.join('; '));
}

function heldNote(held: PassStatus['held'], now: number): string | null {
  if (held === null) return null;
  const how = now < held.until ? `are read again in ${seconds(held.until - now)}` : 'are being read again';
  const since = `held for ${seconds(now - held.since)}`;
  return `${since}: ${heldText(held)}; the sources ${how} (--allow-mass-removal)`;
}

/** Always passes: backends that do not answer do not make the host unready. Notes if the host itself may be cut off. */
function ejectionCheck({ ejection = null }: Status, now: number): readonly Check[] {
  if (ejection === null) return [];
  const { blind, behind, ejections, mode } = ejection;
  const notes: string[] = [];
  if (blind !== null) {
    const { failing, answering, since } = blind;
    const agents = `${failing} of the ${failing + answering} agents that were tried cannot be reached`;
    notes.push(`ejection is paused: for ${seconds(now - since)}, ${agents}; is this host cut off?`);
  }
  if (ejections.size > 0) {
    const rotation = mode === 'on' ? '' : ', still in rotation (--eject observe)';
    notes.push(
      `no answer from ${count([...ejections], 'backend')}${rotation}: ${some([...ejections.keys()])}`,
    );
  }
  if (behind !== null) notes.push(behind);
  return [check('ejection', true, notes.length === 0 ? null : notes.join('; '))];
}

/** Always passes: a container whose network namespace cannot be entered does not make the host unready. */
function namespacesCheck({ namespaces: report = null }: Status): readonly Check[] {
  if (report === null) return [];
  const { failure, namespaces } = report;
  const notes = failure === null ? [] : [failure];
  const behind = namespaces.filter(({ isInSync }) => !isInSync);
  if (behind.length > 0) {
    const which = some(behind.map(({ id, reason }) => `${id} (${reason})`));
    notes.push(`${behind.length} of ${count(namespaces, 'network namespace')} not in sync: ${which}`);
  }
  return [check('network-namespaces', true, notes.length === 0 ? null : notes.join('; '))];
}

function sourceCheck(source: SourceStatus, now: number, limits: HealthLimits): Check {
  const { readAt, fromDiskOf, failure } = source;
  const name = `source ${source.name}`;
  const reason = failure === null ? '' : `: ${failure.message}`;
  if (fromDiskOf !== null) return check(name, true, `from disk, ${seconds(now - fromDiskOf)} old${reason}`);
  if (readAt === null) return check(name, false, `not read yet${reason}`);
  const age = now - readAt;
  const stale = failure !== null || age > 2 * limits.relistMs + GRACE_MS;
  return check(name, true, stale ? `stale, last read ${seconds(age)} ago${reason}` : null);
}

function check(name: string, ok: boolean, message: string | null): Check {
  return { name, ok, message: message === null ? null : message.replace(/\s+/g, ' ') };
}

function byName(a: Check, b: Check): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}

function count(things: readonly unknown[], noun: string): string {
  return `${things.length} ${noun}${things.length === 1 ? '' : 's'}`;
}

const MAX_NAMED = 5;

/** Lists the first few: a host has thousands. */
function some(things: readonly string[]): string {
  const more = things.length - MAX_NAMED;
  return things.slice(0, MAX_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
