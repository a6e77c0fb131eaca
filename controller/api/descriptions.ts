/** Parts that the descriptions of several routes share. */

import { z } from 'zod';
import { problemDocument } from './documents.ts';
import type { DescribedAnswer, Schemas } from './route.ts';

/** A success with a JSON body. */
export function ok(schemas: Schemas): DescribedAnswer {
  return { status: 200, description: 'Success.', schemas };
}

/** An error answer. */
export function refused(
  status: number,
  description: string,
  schemas: Schemas = { Problem: problemDocument },
): DescribedAnswer {
  return { status, description, schemas };
}

/** A query parameter that is true if it is present, unless its value is `false`. */
export const flag = z
  .preprocess((text) => text !== 'false', z.boolean())
  .default(false)
  // In a description of input, zod leaves out the default of a value that it converts.
  .meta({ override: { default: false } });
