import { expect, test } from '@jest/globals';
import { NameStore } from '../../../controller/loop/name-store.ts';
import { EMPTY_NAME_MEMORY, type NameMemory } from '../../../controller/model/name-memory.ts';
import { World } from '../../support/world.ts';

test.each([
  ['a load that took too long', null, [EMPTY_NAME_MEMORY]],
  ['a load that found nothing', EMPTY_NAME_MEMORY, []],
])('after %s, the names on disk become those of this process', async (_, loaded, expected) => {
  const saved: NameMemory[] = [];
  const { log, store } = new World();
  const saveMemory = async (memory: NameMemory) => void saved.push(memory);
  const names = new NameStore({ ...store, loadMemory: async () => loaded, saveMemory }, log, false);

  // Else a later start would load labels and addresses that this process has not known.
  names.keep(await names.load(new Map(), () => false));
  await names.settled();
  expect(saved).toEqual(expected);
});
