import { codeOfErrno, IpvsError, type Netlink } from 'ipvs-netlink-ts/netlink';
import {
  chainAttrs,
  elementsAttrs,
  NFT_MSG,
  ruleAttrs,
  tableAttrs,
} from '../../../controller/apply/nftables/encode.ts';

const HEADER = 4;
const ENOENT = 2;

interface Table {
  readonly parts: Set<string>;
  readonly chains: Map<string, Uint8Array>;
  readonly rules: { readonly chain: string; readonly payload: Uint8Array }[];
  readonly elements: Map<string, Uint8Array[]>;
}

/**
 * As much of nf_tables as our table needs: it keeps what a transaction gives it and lists it again. `refuse` says which
 * messages it does not know (an errno, or 0), by what they are to do.
 */
export class FakeNftables {
  table: Table | null = null;
  refuse: (what: string) => number = () => 0;
  /** What it is asked and told, in order: `read the generation`, `transaction`. */
  readonly journal: string[] = [];
  #generation = 1;

  readonly open = (): Netlink => ({
    request: async (type, _flags, payload, what = '') => {
      this.journal.push(what);
      const errno = this.refuse(what);
      if (errno !== 0) throw new IpvsError(codeOfErrno(errno), `${what}: errno ${errno}`, { errno });
      return this.#answer(type, payload);
    },
    transaction: async (_subsystem, messages) => {
      this.journal.push('transaction');
      const refusals = messages.flatMap(({ what }, index) => {
        const errno = this.refuse(what);
        return errno === 0
          ? []
          : [{ index, error: new IpvsError(codeOfErrno(errno), `${what}: errno ${errno}`, { errno }) }];
      });
      if (refusals.length === 0) {
        for (const { type, payload } of messages) this.#make(type, payload.subarray(HEADER), payload);
        this.disturb();
      }
      return refusals;
    },
    close: () => undefined,
  });

  /** Someone changed some table. */
  disturb(): void {
    this.#generation += 1;
  }

  #answer(type: number, payload: Uint8Array): Uint8Array[] {
    const { table } = this;
    if (type === NFT_MSG.getGeneration)
      return [Uint8Array.of(0, 0, 0, 0, 8, 0, 1, 0, 0, 0, 0, this.#generation)];
    if (table === null) throw new IpvsError('not-found', 'no such table', { errno: ENOENT });
    const body = payload.subarray(HEADER);
    switch (type) {
      case NFT_MSG.getTable:
        return [framed(tableAttrs.write({ use: table.parts.size }))];
      case NFT_MSG.getChain:
        return found(table.chains.get(chainAttrs.read(body).name ?? ''));
      case NFT_MSG.getRule:
        return table.rules.map((rule) => rule.payload);
      case NFT_MSG.getElements: {
        const set = elementsAttrs.read(body).set ?? '';
        return found(table.parts.has(set) ? (table.elements.get(set) ?? []) : undefined);
      }
      default:
        throw new Error(`message ${type}`);
    }
  }

  #make(type: number, body: Uint8Array, payload: Uint8Array): void {
    if (type === NFT_MSG.deleteTable) this.table = null;
    if (type === NFT_MSG.newTable) this.table ??= emptyTable();
    const { table } = this;
    if (table === null) return;
    if (type === NFT_MSG.newChain) {
      const { name = '' } = chainAttrs.read(body);
      table.parts.add(name);
      table.chains.set(name, payload);
    }
    if (type === NFT_MSG.newRule) table.rules.push({ chain: ruleAttrs.read(body).chain ?? '', payload });
    // A set's name is where that of its elements is.
    const { set = '' } = type >= NFT_MSG.newSet && type <= NFT_MSG.deleteElements ? elementsOf(body) : {};
    if (type === NFT_MSG.newSet) table.parts.add(set);
    if (type === NFT_MSG.deleteElements) table.elements.delete(set);
    if (type === NFT_MSG.newElements) table.elements.set(set, [...(table.elements.get(set) ?? []), payload]);
  }
}

const nameAttrs = elementsAttrs;
function elementsOf(body: Uint8Array): { readonly set?: string | undefined } {
  const view = new DataView(body.buffer, body.byteOffset, body.length);
  // The two attributes at the front; those of a set that follow have other meanings.
  const first = (view.getUint16(0, true) + 3) & ~3;
  const second = (view.getUint16(first, true) + 3) & ~3;
  return nameAttrs.read(body.subarray(0, first + second));
}

function emptyTable(): Table {
  return { parts: new Set(), chains: new Map(), rules: [], elements: new Map() };
}

function framed(attributes: Uint8Array): Uint8Array {
  return Uint8Array.from([1, 0, 0, 0, ...attributes]);
}

function found(what: Uint8Array | Uint8Array[] | undefined): Uint8Array[] {
  if (what === undefined) throw new IpvsError('not-found', 'no such thing', { errno: ENOENT });
  return Array.isArray(what) ? what : [what];
}
