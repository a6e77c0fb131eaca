import { createGrouping, differenceOf } from '../desired/grouping.ts';
import { type Declared, endpointKey } from '../model.ts';
import type { VipState } from './document.ts';

/** What a VIP is called, whoever tells of it. */
interface Called extends Pick<Declared, 'name' | 'framework' | 'address' | 'port'> {
  readonly protocol: string;
}

interface Recorded extends Called {
  readonly state: VipState;
}

type Records = ReadonlyMap<string, Recorded>;

/** The VIPs that are declared and have no record, each with all who declare it. */
type Absence = (
  declared: readonly Declared[],
  records: Records,
) => readonly (readonly [text: string, declared: readonly Declared[]])[];

/**
 * Makes the function that finds declared VIPs of which there is no record. It keeps the names of both sides and exchanges
 * what changed: to write down a thousand names in each pass would be most of its garbage.
 */
export function createAbsence(): Absence {
  const wanted = createGrouping<Declared>(vipText, inTurn);
  const spoken = createGrouping<Recorded>(vipText, inTurn);
  let lastDeclared: readonly Declared[] = [];
  let lastRecords: Records = new Map();

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
function notIn(other: Records, now: Records): readonly Recorded[] {
  const found: Recorded[] = [];
  now.forEach((record, id) => {
    if (record.state !== 'no backend' && other.get(id) !== record) found.push(record);
  });
  return found;
}

function inTurn(): number {
  return 0;
}

/** `tcp/web.marathon:80`, `tcp/[fd00::1]:80`: one text for a VIP of both families. */
function vipText({ protocol, name, framework, address, port }: Called): string {
  const where =
    name === null ? endpointKey({ address: address ?? '', port }) : `${name}.${framework}:${port}`;
  return `${protocol}/${where}`;
}
