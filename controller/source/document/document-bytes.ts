import { inTurns, Pace } from '../../pace.ts';
import { repeatedKeys } from '../json/repeated-keys.ts';
import { parseJson } from '../json/text.ts';
import { checkSize, type Wanted, WrongType, walkJson } from '../json/walk.ts';
import { collect, collectWhole, type Documents } from './documents.ts';
import { type Item, type Shape, shapeOf } from './shapes.ts';

/**
 * Reads a document from its bytes as `readDocuments` does, yielding to the event loop. Also reports repeated keys.
 *
 * Rejects with a `SyntaxError` that has line and column when the bytes are not JSON, with a `WrongType` when part of a
 * tree of groups has the wrong type, and with an `OverBound` when a bound is exceeded.
 */
export async function readDocumentBytes(bytes: Buffer, where: string): Promise<Documents | null> {
  const pace = new Pace();
  const repeated = await inTurns(repeatedKeys(bytes), pace);
  for (const elements of [elementsOf(bytes, ''), elementsOf(bytes, 'apps', 'app', REFUSED)]) {
    try {
      return await inTurns(collect(elements, where, repeated), pace);
    } catch (error) {
      // Not a list of this form; or broken JSON, which fails again below, with line and column.
      if (!(error instanceof SyntaxError) || error instanceof WrongType) throw error;
    }
  }
  await checkSize(bytes, pace);
  return await inTurns(collectWhole(parseJson(bytes.toString('utf8')), where, repeated), pace);
}

/**
 * Reads a response of `/v2/apps` (`apps`: an object with that list) or of `/v2/pods/::status` (`pods`: a bare list).
 * Resolves with null when the list is missing; rejects as `readDocumentBytes` does.
 */
export async function readAnswer(
  bytes: Buffer,
  of: 'apps' | 'pods',
  where: string,
): Promise<Documents | null> {
  const elements = of === 'apps' ? elementsOf(bytes, 'apps', 'app') : elementsOf(bytes, '', 'pod status');
  try {
    return await inTurns(collect(elements, where));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    if (error instanceof NoList || (await isJson(bytes))) return null;
    throw error;
  }
}

/** Whether the bytes are JSON at all. */
async function isJson(bytes: Buffer): Promise<boolean> {
  await checkSize(bytes, new Pace());
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

/** The document is JSON but not the expected list. */
class NoList extends SyntaxError {}

/** Any key besides that of the list. */
const REFUSED: Wanted = { '*': 'key' };

/**
 * Yields the elements of a document that is a list, or an object with a list under `key`, and null now and then so that
 * the caller can pause. Throws a `NoList` for other JSON, and for an object with a `refused` key.
 */
function* elementsOf(
  bytes: Buffer,
  key: '' | 'apps',
  shape?: Shape,
  refused: Wanted = {},
): Generator<Item | null> {
  let index = -1;
  for (const found of walkJson(bytes, key === '' ? 'each' : { ...refused, [key]: 'each' })) {
    if (found === null) yield null;
    else if (found.json !== undefined) {
      const { json, refused } = found;
      yield { json, at: `${key}[${index}]`, base: '/', shape: shape ?? shapeOf(json), refused };
      index += 1;
    } else if (found.path === key && index < 0) index = 0;
    else if (found.path === key) throw new WrongType(`${key}: expected one list, got more than one`);
    else throw new NoList('not only a list');
  }
  if (index < 0) throw new NoList('no list');
}
