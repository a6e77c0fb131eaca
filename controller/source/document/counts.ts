import { BOUNDS } from '../../bounds.ts';
import type { MarathonApp, MarathonPodStatus } from '../../marathon-json.ts';

type Counted = Partial<Omit<MarathonApp, 'id'>> &
  Partial<Omit<MarathonPodStatus, 'id'>> &
  Pick<MarathonPodStatus['spec'], 'containers'>;
type Labels = MarathonApp['labels'];

/** Of what an app or a pod has more than `BOUNDS` lets it have, and how many that is; null where it is within them. */
export function countsOver(document: object): { readonly at: string; readonly reason: string } | null {
  const ports = portsOf(document);
  const vips = ports.reduce((sum, { labels }) => sum + vipsIn(labels), 0);
  const most = ports.reduce(
    (found, one) => (sizeOf(one.labels) > sizeOf(found.labels) ? one : found),
    NO_PORT,
  );
  const { labels, tasks, instances } = document as Counted;
  const taskPorts = (tasks ?? []).reduce((found, one) => Math.max(found, one.ports?.length ?? 0), 0);
  const counts: readonly (readonly [string, string, number, number])[] = [
    ['', 'ports', ports.length, BOUNDS.ports],
    ['', 'VIPs', vips, BOUNDS.vips],
    [`${most.at}.labels`, 'labels', sizeOf(most.labels), BOUNDS.labels],
    ['labels', 'labels', sizeOf(labels), BOUNDS.labels],
    ['tasks', 'tasks', tasks?.length ?? 0, BOUNDS.tasks],
    ['tasks', 'ports of one task', taskPorts, BOUNDS.ports],
    ['instances', 'instances', instances?.length ?? 0, BOUNDS.tasks],
  ];
  const over = counts.find(([, , count, bound]) => count > bound);
  if (over === undefined) return longText(ports, labels, tasks ?? instances ?? []);
  const [at, what, count, bound] = over;
  return { at, reason: `${count} ${what}, expected at most ${bound}` };
}

/** A text that is longer than any that means something. */
function longText(
  ports: readonly CountedPort[],
  appLabels: Labels,
  tasks: readonly { readonly id: string }[],
): ReturnType<typeof countsOver> {
  const { labelLength, nameLength } = BOUNDS;
  const tooLong = (at: string, what: string, bound: number) => ({
    at,
    reason: `the ${what} is too long, expected at most ${bound} characters`,
  });
  for (const { at, labels, protocol } of [...ports, { at: '', labels: appLabels }]) {
    if (String(protocol ?? '').length > nameLength) return tooLong(`${at}.protocol`, 'text', nameLength);
    for (const [key, value] of Object.entries(labels ?? {})) {
      const place = at === '' ? 'labels' : `${at}.labels`;
      if (key.length > nameLength) return tooLong(place, 'key of a label', nameLength);
      if (typeof value === 'string' && value.length > labelLength)
        return tooLong(`${place}.${key}`, 'text', labelLength);
    }
  }
  const index = tasks.findIndex(({ id }) => id.length > nameLength);
  return index < 0 ? null : tooLong(`[${index}].id`, 'id of a task or instance', nameLength);
}

interface CountedPort {
  readonly at: string;
  readonly labels?: Labels;
  readonly protocol?: string | readonly string[] | null | undefined;
}

const NO_PORT: CountedPort = { at: '' };

function portsOf(document: object): readonly CountedPort[] {
  const { portDefinitions, ports, container, ipAddress, spec, containers } = document as Counted;
  const lists: readonly (readonly [string, readonly Omit<CountedPort, 'at'>[] | null | undefined])[] = [
    ['portDefinitions', portDefinitions],
    ['ports', ports?.map(() => ({}))],
    ['container.portMappings', container?.portMappings],
    ['container.docker.portMappings', container?.docker?.portMappings],
    ['ipAddress.discovery.ports', ipAddress?.discovery?.ports],
    ...(spec?.containers ?? containers ?? []).map(
      ({ endpoints }, index) => [`containers[${index}].endpoints`, endpoints] as const,
    ),
  ];
  return lists.flatMap(([at, list]) =>
    (list ?? []).map(({ labels, protocol }, index) => ({ at: `${at}[${index}]`, labels, protocol })),
  );
}

function sizeOf(labels: Labels): number {
  return labels ? Object.keys(labels).length : 0;
}

function vipsIn(labels: Labels): number {
  return labels ? Object.keys(labels).filter((key) => /^vip/i.test(key)).length : 0;
}
