import { onlyKnownTo } from '../inventory/merge.ts';
import type { App, Port, Rejection, Task } from '../model/app.ts';
import {
  isTaskLabelPort,
  isVipLabel,
  type Meaning,
  meaningOf,
  nearestOption,
  OPTION_KEYS,
} from '../settings/label-keys.ts';
import { withLookAlikes } from '../settings/look-alikes.ts';
import { cleanName, cutPieces, MAX_DNS_LABEL_LENGTH } from './names.ts';
import type { LabelReading, PortReading } from './port-reading.ts';
import type { Target } from './target.ts';
import { doubtOf, probably } from './vip-doubts.ts';
import { EXPECTED_VIP } from './vip-label.ts';

/** Problems with labels, for the author of the app. */
interface LabelProblems {
  readonly rejected: readonly Rejection[];
  readonly warnings: readonly string[];
}

const MAX_VALUE_LENGTH = 100;
/** At most so many unused labels are reported for each port. */
const MAX_UNREAD = 10;

/** Collects the problems with an app's labels, each once. */
export function collectProblems(app: App, zone: string) {
  const ofTasks = app.fromTasks || app.labelsPerTask;
  const reported = new Set<PortReading>();
  const rejected: Rejection[] = [...app.rejected];
  const warnings: string[] = [];

  const about = (port: Port, reading: PortReading): void => {
    reported.add(reading);
    const problems = labelProblems(app, port, reading, zone);
    rejected.push(...problems.rejected);
    warnings.push(...problems.warnings);
  };
  return {
    about,
    /**
     * Reports the labels of a task only where they may differ from the definition's: where the app was put together from
     * its tasks, and for a task that the source of the definition does not list. Problems that the definition has too are
     * not repeated.
     */
    aboutTask({ onlyIn }: Task, port: Port, reading: PortReading): void {
      if (reported.has(reading)) return;
      if (ofTasks) about(port, reading);
      else if (onlyIn !== undefined) {
        reported.add(reading);
        for (const one of labelProblems(app, port, reading, zone).rejected) {
          if (rejected.some(({ value, reason }) => value === one.value && reason === one.reason)) continue;
          rejected.push({ ...one, reason: onlyKnownTo(onlyIn, one.reason) });
        }
      }
    },
    rejected: (): readonly Rejection[] => (rejected.length < 2 ? rejected : eachOnce(rejected)),
    warnings,
  };
}

/** Removes duplicates: several tasks may have the same label. */
function eachOnce(rejected: readonly Rejection[]): readonly Rejection[] {
  return [...new Map(rejected.map((one) => [`${one.at}\n${one.value}\n${one.reason}`, one])).values()];
}

/** Problems with the labels of one port of the newest definition. `zone`: the cleaned DNS zone of VIP names. */
function labelProblems(app: App, port: Port, reading: PortReading, zone: string): LabelProblems {
  const unread = unreadLabels(app, port, reading);
  if (reading.vips.length === 0) return unread.length === 0 ? NONE : { rejected: [], warnings: unread };
  const rejected: Rejection[] = [];
  const warnings: string[] = [...unread];

  for (const label of reading.vips) {
    const problems = aboutLabel(app, port, label, zone);
    rejected.push(...problems.rejected);
    warnings.push(...problems.warnings);
  }
  for (const { key, value, reason = unknownOption(key) } of reading.options.problems) {
    rejected.push({ app: app.id, at: `${port.at}.labels.${key}`, value: shorten(value), reason });
  }
  for (const protocol of reading.otherProtocols) {
    warnings.push(`${app.id} ${port.at}: no VIP for protocol "${shorten(protocol)}", only for tcp and udp`);
  }
  // Marathon announces an endpoint once for each protocol, so a port without one had no VIP on DC/OS either.
  if (reading.protocols.length === 0 && reading.otherProtocols.length === 0) {
    warnings.push(`${app.id} ${port.at}: no VIP, because the port has no protocol`);
  }
  return { rejected, warnings };
}

const NONE: LabelProblems = { rejected: [], warnings: [] };

function aboutLabel(
  app: App,
  port: Port,
  { at, text, problem, target, insteadText }: LabelReading,
  zone: string,
): LabelProblems {
  if (problem === null) {
    if (target === null) return NONE;
    const doubt = doubtOf(text, target, zone);
    const doubts = [...(doubt === null ? [] : [doubt]), ...cutNames(app, text, target)];
    return doubts.length === 0
      ? NONE
      : { rejected: [], warnings: doubts.map((each) => `${app.id} ${at}: ${each}`) };
  }
  const ofTask = isTaskLabelPort(port.at);
  const value = shorten(ofTask ? `${port.protocols[0]}://${text}` : text);
  const warnings =
    insteadText === null
      ? []
      : [`${app.id} ${at}: "${value}" is not valid, so the VIP stays what it was: ${insteadText}`];
  if (problem.ignored) {
    return {
      rejected: [],
      warnings: [`${app.id} ${at}: "${value}" is ignored: ${problem.reason}`, ...warnings],
    };
  }
  const expected = ofTask ? problem.reason.replace(EXPECTED_VIP, EXPECTED_TASK_LABEL) : problem.reason;
  const reason = withHint(expected, app, text, zone);
  return { rejected: [{ app: app.id, at, value, reason }], warnings };
}

const EXPECTED_TASK_LABEL = 'expected tcp://NAME:PORT or udp://NAME:PORT';

/** Warns of names that are cut to the DNS limit as DC/OS cut them: two names with the same beginning become one VIP. */
function cutNames({ framework }: App, text: string, { named }: Target): readonly string[] {
  if (named === null) return [];
  const written = text.slice(0, text.lastIndexOf(':'));
  const cut = [...cutPieces(written), ...cutPieces(framework)];
  return cut.map(
    (piece) =>
      `a part of the name is longer than the ${MAX_DNS_LABEL_LENGTH} characters that DNS allows and is cut to ${piece}: another one that begins alike is the same VIP`,
  );
}

function withHint(reason: string, { framework }: App, text: string, zone: string): string {
  const meant = probably(text, { framework: cleanName(framework) ?? framework, zone });
  return meant === null ? reason : `${reason}; was ${meant} meant?`;
}

/** Warns of labels that look like VIP or IPVS labels and have no effect: `Vip_0`, `ipvs_weight`, an option without a VIP. */
function unreadLabels(app: App, port: Port, { vips }: PortReading): readonly string[] {
  const unread: string[] = [];
  for (const [key, value] of Object.entries(port.labels)) {
    if (unread.length >= MAX_UNREAD) break;
    if (isVipLabel(key) || (vips.length > 0 && key.startsWith('IPVS_'))) continue;
    const means = meaningOf(key, value, 'labels');
    if (means === null) continue;
    const why = withLookAlikes(whyUnread(means, key, vips.length > 0), key);
    unread.push(`${app.id} ${port.at}.labels.${shorten(key)} is not used: ${why}`);
  }
  return unread;
}

function whyUnread(means: Meaning, key: string, besideVip: boolean): string {
  if (means === 'vip') return 'the key of a VIP label begins with VIP or vip: VIP_0';
  if (!besideVip) return 'there is no VIP label beside it';
  const nearest = nearestOption(key);
  return nearest === null ? `known are ${OPTION_KEYS.join(', ')}` : `did you mean ${nearest}?`;
}

function unknownOption(key: string): string {
  const nearest = nearestOption(key);
  const hint = nearest === null ? '' : `; did you mean ${nearest}?`;
  return withLookAlikes(`expected one of the labels ${OPTION_KEYS.join(', ')}${hint}`, key);
}

function shorten(text: string): string {
  return text.length <= MAX_VALUE_LENGTH ? text : `${text.slice(0, MAX_VALUE_LENGTH)}…`;
}
