import { createGrouping, differenceOf } from '../desired/grouping.ts';
import { type Declared, endpointKey } from '../model.ts';
import type { VipRecord, VipRecords } from './vip-records.ts';

/** The VIPs that are declared and have no record, each with all who declare it. */
type Absence = (
  declared: readonly Declared[],
  records: VipRecords,
) => readonly (readonly [text: string, declared: readonly Declared[]])[];

/**
 * Makes the function that finds declared VIPs of which there is no record. It keeps the names of both sides and exchanges
 * what changed: to write down a thousand names in each pass would be most of its garbage.
 */
export function createAbsence(): Absence {
  const wanted = createGrouping<Declared>(vipText, inTurn);
  const spoken = createGrouping<VipRecord>(vipText, inTurn);
  let lastDeclared: readonly Declared[] = [];
  let lastRecords: VipRecords = new Map();

  return (declared, records) => {
    const changed = differenceOf(lastDeclared, declared);
    wanted.exchange(changed.gone, changed.come);
    lastDeclared = declared;

    spoken.exchange(notIn(records, lastRecords), notIn(lastRecords, records));
    lastRecords = records;

    const absent: [string, readonly Declared[]][] = [];
    wanted.items.forEach((all, text) => {
      if (!spoken.items.has(text)) absent.push([text, all]);
    });
    return absent;
  };
}

/** Records of `now` that `other` has not, or otherwise; without those that an absence was put down with. */
function notIn(other: VipRecords, now: VipRecords): readonly VipRecord[] {
  const found: VipRecord[] = [];
  now.forEach((record, id) => {
    if (record.state !== 'no backend' && other.get(id) !== record) found.push(record);
  });
  return found;
}

function inTurn(): number {
  return 0;
}

type Called = Pick<VipRecord, 'protocol' | 'name' | 'framework' | 'address' | 'port'>;

/** `tcp/web.marathon:80`, `tcp/[fd00::1]:80`: one text for a VIP of both families. */
function vipText({ protocol, name, framework, address, port }: Called): string {
  const where =
    name === null ? endpointKey({ address: address ?? '', port }) : `${name}.${framework}:${port}`;
  return `${protocol}/${where}`;
}
