/** Never run: `npm run types` reads it, and fails where one of these mistakes is none to it any more. */

import { TextField } from '../../controller/page/form/view/field.tsx';
import { Backends } from '../../controller/page/view/backends.tsx';
import { StateBadge } from '../../controller/page/view/badge.tsx';
import { Copy } from '../../controller/page/view/copy.tsx';

const change = (_: string) => undefined;

export const MISTAKES = [
  // @ts-expect-error a prop of another type
  <StateBadge state="forwards" />,
  // @ts-expect-error a prop that is missing
  <Copy text="x" />,
  // @ts-expect-error a list without when it was true, from which ages are told
  <Backends vip={{ backends: [], spread: null }} />,
  // @ts-expect-error a prop that there is not
  <Copy text="x" what="y" colour="red" />,
  // @ts-expect-error a function that takes something else
  <TextField field="id" label="ID" value="" change={(_: number) => undefined} />,
  // @ts-expect-error an attribute of another element
  <p placeholder="x">text</p>,
  // @ts-expect-error an attribute with another value
  <input type="checkbox" checked="yes" />,
  <TextField field="id" label="ID" value="" change={change} />,
];
