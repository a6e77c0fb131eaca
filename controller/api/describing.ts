/** What several routes say of themselves. */

import { z } from 'zod';
import { problemDocument } from './described.ts';
import type { DescribedAnswer, Schemas } from './route.ts';

export function ok(schemas: Schemas): DescribedAnswer {
  return { status: 200, description: 'As asked for.', schemas };
}

/** One that is no success. */
export function refused(
  status: number,
  description: string,
  schemas: Schemas = { Problem: problemDocument },
): DescribedAnswer {
  return { status, description, schemas };
}

/** A parameter of the query that is set by being there, unless it is `false`. */
export const flag = z.preprocess((text) => text !== 'false', z.boolean()).default(false);
