import type { Address, Family } from '../address.ts';
import { cleanName, fullyQualified } from './names.ts';
import { EXPECTED_VIP, parseVipLabel, type VipProblem } from './vip-label.ts';

/** A VIP that a label asks for; a named one has no address yet. */
export interface Target {
  /** The same for all labels that mean the same VIP: `web.marathon.l4lb.thisdcos.directory:80`, `10.1.2.3 80`. */
  readonly key: string;
  readonly port: number;
  /** null for a named VIP. */
  readonly address: Address | null;
  /** null for an IP VIP. */
  readonly named: NamedTarget | null;
}

export interface NamedTarget {
  /** Cleaned. */
  readonly name: string;
  /** Cleaned. */
  readonly framework: string;
  readonly fqdn: string;
  /** `label.framework`, cleaned: the key of its addresses. */
  readonly fullName: string;
  /** Label and framework as written, to tell apart names that cleaning makes equal. */
  readonly written: string;
}

/** The address families of a VIP's backends: its own for an IP VIP, those with a pool for a named VIP. */
export function familiesOf(target: Target, ofNames: readonly Family[]): readonly Family[] {
  return target.address === null ? ofNames : [target.address.family];
}

/**
 * The VIP that a label's value means for an app of `framework` (as the source reports it), or what is wrong with it.
 *
 * An IP VIP belongs to no framework: frameworks that use the same address and port share it, as in dcos-net.
 */
export function readTarget(value: string, framework: string, zone: string): Target | VipProblem {
  const vip = parseVipLabel(value);
  if (vip.kind === 'problem') return vip;
  if (vip.kind === 'address') {
    return { key: `${vip.address.text} ${vip.port}`, port: vip.port, address: vip.address, named: null };
  }

  const name = cleanName(vip.label);
  if (name === null) return problem(`${EXPECTED_VIP}, with a letter or digit in each part of the name`);
  const cleanFramework = cleanName(framework);
  if (cleanFramework === null)
    return problem(`the framework's name "${framework}" has a part without letter and digit`);
  const fqdn = fullyQualified(name, cleanFramework, zone);
  if (fqdn === null) return problem('the full name is longer than the 253 characters that DNS allows');

  return {
    key: `${fqdn}:${vip.port}`,
    port: vip.port,
    address: null,
    named: {
      name,
      framework: cleanFramework,
      fqdn,
      fullName: `${name}.${cleanFramework}`,
      written: `"${vip.label}" of ${framework}`,
    },
  };
}

export function isProblem(result: Target | VipProblem): result is VipProblem {
  return 'kind' in result;
}

function problem(reason: string): VipProblem {
  return { kind: 'problem', reason, ignored: false };
}
