import { cleanName } from '../../desired/names.ts';
import { plural } from '../../status/format.ts';
import { nearest } from '../../text/suggestion.ts';
import { quoted } from '../../text/visible.ts';
import type { DesiredState, VipFact, VipQuery } from '../facts.ts';
import { broken, note, ok, unknown, type Verdict } from '../verdict.ts';

/** The largest number of VIPs whose traces are still readable. */
const MAX_VIPS = 8;

/** The matching VIPs, or the verdict if there are none. */
export type Found = { readonly vips: readonly VipFact[] } | { readonly verdict: Verdict };

/** Finds the VIPs that match the query: on all ports if it has none, and TCP if it has no protocol and both exist. */
export function findVips(desired: DesiredState, query: VipQuery): Found {
  if (desired.incomplete !== null) return { verdict: unknown(desired.incomplete) };
  const named = vipsNamed(desired.vips, query.name);
  if (named.length === 0) return { verdict: notDeclared(desired, query) };
  const onPort = named.filter(({ port }) => query.port === null || query.port === port);
  if (onPort.length === 0) return { verdict: wrongPort(query, named) };
  const tcp = onPort.filter(({ protocol }) => protocol === 'tcp');
  const meant = query.protocol === null ? tcp : onPort.filter(({ protocol }) => protocol === query.protocol);
  const vips = query.protocol === null && tcp.length === 0 ? onPort : meant;
  if (vips.length === 0) return { verdict: wrongProtocol(query, onPort) };
  if (vips.length > MAX_VIPS) {
    const ports = [...new Set(vips.map(({ port }) => port))].join(', ');
    return { verdict: unknown(`${vips.length} VIPs have this name; specify one of the ports ${ports}`) };
  }
  return { vips };
}

/** Checks that an app declares the VIP, and that its address and port are not another program's. */
export function checkName({ vip }: { readonly vip: VipFact }): Verdict[] {
  const { apps, state, reason, id } = vip;
  if (state === 'conflict') {
    return [
      broken(
        'conflict',
        reason ?? `${id} is in the kernel already`,
        'remove that service if it is not needed, give the app another port, or let the controller take it over with --adopt',
      ),
    ];
  }
  if (state === 'draining') {
    return [
      broken(
        'leaving',
        `no app declares ${id} any more; only its open connections continue${reason === null ? '' : ` (${reason})`}`,
        'restore the VIP label of the app, or let clients use another VIP',
      ),
    ];
  }
  const declared = `declared by ${apps.length === 0 ? 'no app that a source still knows' : apps.join(', ')}`;
  return state === 'held'
    ? [ok(declared), note(`held: ${reason ?? 'too much would be removed at once'}`)]
    : [ok(declared)];
}

function vipsNamed(vips: readonly VipFact[], name: string): readonly VipFact[] {
  const named = vips.filter((vip) => namesOf(vip).includes(name));
  if (named.length > 0) return named;
  const cleaned = cleanName(name);
  return cleaned === null ? [] : vips.filter((vip) => namesOf(vip).includes(cleaned));
}

function namesOf({ name, framework, fqdn, address, apps }: VipFact): string[] {
  const full = name === null ? [] : [name, `${name}.${framework}`];
  return [...full, fqdn, address, ...apps].filter((text) => text !== null).map((text) => text.toLowerCase());
}

function notDeclared(desired: DesiredState, { text, name }: VipQuery): Verdict {
  const rejection = desired.rejected.find(
    ({ app, at, value }) => app === name || (VIP_LABEL.test(at) && isLabelOf(value, name)),
  );
  if (rejection !== undefined) {
    const { app, at, value, reason } = rejection;
    const isLabel = /(^|\.)labels(\.|$)/.test(at);
    return broken(
      isLabel ? 'label-rejected' : 'app-rejected',
      `${app} ${at}: ${quoted(value)}: ${reason}`,
      `correct ${isLabel ? 'the label' : at || 'the error'} in the definition of ${app}`,
    );
  }
  const unread = unreadLabel(desired, name);
  if (unread !== null) return unread;
  const failing = desired.sources.filter(({ failure }) => failure !== null);
  const stale = failing
    .map(({ name: source, failure }) => `; ${source} cannot be read now: ${failure}`)
    .join('');
  const names = [
    ...new Set(desired.vips.flatMap((vip) => [vip.name, ...vip.apps].filter((each) => each !== null))),
  ];
  const [short = name] = name.split('.');
  const meant = nearest(name, names) ?? nearest(short, names);
  return broken(
    'unknown-name',
    `no app of ${desired.sources.length === 1 ? desired.sources[0]?.name : `${desired.sources.length} sources`} declares ${quoted(text)}; ${plural(desired.vips.length, 'VIP')} known${stale}`,
    meant === null
      ? `add the label VIP_0 with "/NAME:PORT" to a port of the app; marathon-ipvs status lists the VIPs`
      : `did you mean ${quoted(meant)}? marathon-ipvs why ${meant}`,
  );
}

/** What was probably meant to declare this name, and is no VIP label by its key or its place: the app has the name. */
function unreadLabel({ warnings }: DesiredState, name: string): Verdict | null {
  for (const warning of warnings) {
    const [, app] = UNREAD_LABEL.exec(warning) ?? [];
    if (app !== undefined && (app.toLowerCase() === name || isLabelOf(app, name)))
      return broken('label-rejected', warning, `correct the label in the definition of ${app}`);
  }
  return null;
}

/** A warning of something with `vip` in its path. */
const UNREAD_LABEL = /^(\S+) \S*vip\S* is not used: /i;

/** The path of a VIP label, or of a task label that stands for one; other labels declare no name. */
const VIP_LABEL = /(^|\.)labels\.vip/i;

/** Whether an invalid label was apparently meant to declare this name: `/my_service:5555x`. */
function isLabelOf(value: string, name: string): boolean {
  const [label = ''] = value.replace(/^\//, '').split(':');
  const [short = name] = name.split('.');
  const cleaned = cleanName(label);
  return cleaned !== null && (cleaned === name || cleaned === short);
}

function wrongPort({ name, port }: VipQuery, named: readonly VipFact[]): Verdict {
  const ports = [...new Set(named.map((vip) => `${vip.port}/${vip.protocol}`))].join(', ');
  return broken(
    'wrong-port',
    `${name} has no VIP on port ${port}; it has ${ports}`,
    `let clients use port ${named[0]?.port}, or give the app a label with port ${port}`,
  );
}

function wrongProtocol({ name, protocol }: VipQuery, onPort: readonly VipFact[]): Verdict {
  const [first] = onPort;
  return broken(
    'wrong-protocol',
    `${name}:${first?.port} is a VIP for ${first?.protocol} only, not for ${protocol}`,
    `let clients use ${first?.protocol}, or give the port of the app the protocol ${protocol}`,
  );
}
