import { inTurns, Pace } from '../../pace.ts';
import { parseJson } from '../json/text.ts';
import { checkSize, type Wanted, WrongType, walkJson } from '../json/walk.ts';
import { collect, collectWhole, type Documents, type Item, type Shape, shapeOf } from './documents.ts';

/**
 * Does what `readDocuments` does with a document's bytes, in turns with others. Rejects with a `SyntaxError` with line and column when they are no
 * JSON, with a `WrongType` that says where a tree of groups is none, with an `OverBound` when they are over a bound.
 */
export async function readDocumentBytes(bytes: Buffer, where: string): Promise<Documents | null> {
  const pace = new Pace();
  for (const elements of [elementsOf(bytes, ''), elementsOf(bytes, 'apps', 'app', REFUSED)]) {
    try {
      return await inTurns(collect(elements, where), pace);
    } catch (error) {
      // Not such a list; or read as a whole it fails again, with line and column.
      if (!(error instanceof SyntaxError) || error instanceof WrongType) throw error;
    }
  }
  await checkSize(bytes, pace);
  return await inTurns(collectWhole(parseJson(bytes.toString('utf8')), where), pace);
}

/**
 * A whole answer of `/v2/apps` (`apps`: an object with that list) or of `/v2/pods/::status` (`pods`: a bare
 * list). Null where there is no such list; rejects as `readDocumentBytes` does.
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

/** Whether it is JSON, though not the object or list that it should be. */
async function isJson(bytes: Buffer): Promise<boolean> {
  await checkSize(bytes, new Pace());
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

/** A document that is JSON, and not the list that it should be. */
class NoList extends SyntaxError {}

/** Other keys beside that of the list. */
const REFUSED: Wanted = { '*': 'place' };

/**
 * The elements of a document that is a list, or an object with a list under this key; null now and then. Throws a `NoList`
 * for other JSON, and for an object in which something is `refused`.
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
