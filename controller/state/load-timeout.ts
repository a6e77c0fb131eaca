import { messageOf } from '../errors.ts';
import type { Clock, Log, StateStore } from '../ports.ts';
import { withinTime } from './within-time.ts';

/** Time limit of a load: passes wait for it. */
const LOAD_LIMIT_MS = 3_000;

/**
 * Wraps a store so that a load that takes longer than 3 s counts as one that found nothing, with a warning: a disk that hangs
 * must not keep a host from its VIPs.
 *
 * Loads are made one at a time, since each that hangs occupies one of the few threads that look-ups of names, the ledger and the
 * files of sources need too. A save waits for the loads before it, so that none of them ends after it.
 */
export function withLoadTimeout(store: StateStore, clock: Pick<Clock, 'sleep'>, log: Log): StateStore {
  let loading: Promise<unknown> = Promise.resolve();
  let reserving: Promise<unknown> = Promise.resolve();

  async function load<T>(what: string, begin: () => Promise<T | null>): Promise<T | null> {
    const result = loading.then(begin);
    loading = result.catch(() => undefined);
    try {
      return await withinTime(result, LOAD_LIMIT_MS, clock);
    } catch (error) {
      log.warn('saved state cannot be used', { what, error: messageOf(error) });
      return null;
    }
  }

  return {
    loadSource: (source) => load(source, () => store.loadSource(source)),
    loadMemory: () => load('names and labels', () => store.loadMemory()),
    loadSerial: () => load('DNS serial', () => store.loadSerial()),
    async settled() {
      await loading;
      await reserving;
    },
    async saveSource(source, change, all) {
      await loading;
      await store.saveSource(source, change, all);
    },
    async saveMemory(memory) {
      await loading;
      await store.saveMemory(memory);
    },
    async saveSerial(serial) {
      const result = loading.then(() => store.saveSerial(serial));
      reserving = result.catch(() => undefined);
      await result;
    },
  };
}
