import { cleanName } from '../../desired/names.ts';
import { plural } from '../../status/words.ts';
import { nearest } from '../../suggestion.ts';
import { quoted } from '../../visible.ts';
import type { Asked, Known, VipFact } from '../facts.ts';
import { broken, note, ok, unknown, type Verdict } from '../verdict.ts';

/** More than one app has ports; so many ways can still be read. */
const MOST_VIPS = 8;

/** The VIPs that are meant; none: with the reason why not. */
export type Found = { readonly vips: readonly VipFact[] } | { readonly verdict: Verdict };

/** Which VIPs the name means: all ports where none is given, TCP where both protocols have one. */
export function findVips(known: Known, asked: Asked): Found {
  if (known.incomplete !== null) return { verdict: unknown(known.incomplete) };
  const called = vipsCalled(known.vips, asked.name);
  if (called.length === 0) return { verdict: nobodyDeclares(known, asked) };
  const onPort = called.filter(({ port }) => asked.port === null || asked.port === port);
  if (onPort.length === 0) return { verdict: wrongPort(asked, called) };
  const tcp = onPort.filter(({ protocol }) => protocol === 'tcp');
  const meant = asked.protocol === null ? tcp : onPort.filter(({ protocol }) => protocol === asked.protocol);
  const vips = asked.protocol === null && tcp.length === 0 ? onPort : meant;
  if (vips.length === 0) return { verdict: wrongProtocol(asked, onPort) };
  if (vips.length > MOST_VIPS) {
    const ports = [...new Set(vips.map(({ port }) => port))].join(', ');
    return { verdict: unknown(`${vips.length} VIPs are called so; give one of the ports ${ports}`) };
  }
  return { vips };
}

/** Whether this VIP is an app's, and ours. */
export function checkName({ vip }: { readonly vip: VipFact }): Verdict[] {
  const { apps, state, reason, id } = vip;
  if (state === 'conflict') {
    return [
      broken(
        'conflict',
        reason ?? `${id} is in the kernel already`,
        'remove that service where it is not needed, give the app another port, or let the controller take it over with --adopt',
      ),
    ];
  }
  if (state === 'draining') {
    return [
      broken(
        'leaving',
        `no app declares ${id} any more; only its old connections go on${reason === null ? '' : ` (${reason})`}`,
        'give the VIP label back to the app, or let clients use another VIP',
      ),
    ];
  }
  const declared = `declared by ${apps.length === 0 ? 'no app that a source still knows' : apps.join(', ')}`;
  return state === 'held'
    ? [ok(declared), note(`held: ${reason ?? 'too much would go at once'}`)]
    : [ok(declared)];
}

function vipsCalled(vips: readonly VipFact[], name: string): readonly VipFact[] {
  const named = vips.filter((vip) => namesOf(vip).includes(name));
  if (named.length > 0) return named;
  const cleaned = cleanName(name);
  return cleaned === null ? [] : vips.filter((vip) => namesOf(vip).includes(cleaned));
}

function namesOf({ name, framework, fqdn, address, apps }: VipFact): string[] {
  const full = name === null ? [] : [name, `${name}.${framework}`];
  return [...full, fqdn, address, ...apps].filter((text) => text !== null).map((text) => text.toLowerCase());
}

function nobodyDeclares(known: Known, { text, name }: Asked): Verdict {
  const rejection = known.rejected.find(({ app, value }) => app === name || isLabelOf(value, name));
  if (rejection !== undefined) {
    const { app, at, value, reason } = rejection;
    const isLabel = /(^|\.)labels(\.|$)/.test(at);
    return broken(
      isLabel ? 'label-rejected' : 'app-rejected',
      `${app} ${at}: ${quoted(value)}: ${reason}`,
      `correct ${isLabel ? 'the label' : at || 'what it has too much of'} in the definition of ${app}`,
    );
  }
  const failing = known.sources.filter(({ failure }) => failure !== null);
  const stale = failing
    .map(({ name: source, failure }) => `; ${source} cannot be read now: ${failure}`)
    .join('');
  const names = [
    ...new Set(known.vips.flatMap((vip) => [vip.name, ...vip.apps].filter((each) => each !== null))),
  ];
  const [short = name] = name.split('.');
  const meant = nearest(name, names) ?? nearest(short, names);
  return broken(
    'unknown-name',
    `no app of ${known.sources.length === 1 ? known.sources[0]?.name : `${known.sources.length} sources`} declares ${quoted(text)}; ${plural(known.vips.length, 'VIP')} known${stale}`,
    meant === null
      ? `give a port of the app the label VIP_0 with "/NAME:PORT"; marathon-ipvs status lists the VIPs`
      : `did you mean ${quoted(meant)}? marathon-ipvs why ${meant}`,
  );
}

/** Whether a label's value was meant to give this name: `/my_service:5555x`. */
function isLabelOf(value: string, name: string): boolean {
  const [label = ''] = value.replace(/^\//, '').split(':');
  const [short = name] = name.split('.');
  const cleaned = cleanName(label);
  return cleaned !== null && (cleaned === name || cleaned === short);
}

function wrongPort({ name, port }: Asked, called: readonly VipFact[]): Verdict {
  const ports = [...new Set(called.map((vip) => `${vip.port}/${vip.protocol}`))].join(', ');
  return broken(
    'wrong-port',
    `${name} has no VIP on port ${port}; it has ${ports}`,
    `let clients use ${called[0]?.port}, or give the app a label with port ${port}`,
  );
}

function wrongProtocol({ name, protocol }: Asked, onPort: readonly VipFact[]): Verdict {
  const [first] = onPort;
  return broken(
    'wrong-protocol',
    `${name}:${first?.port} is a VIP of ${first?.protocol} only, not of ${protocol}`,
    `let clients use ${first?.protocol}, or give the port of the app the protocol ${protocol}`,
  );
}
