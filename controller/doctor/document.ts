/** `GET /v1/doctor` and `marathon-ipvs doctor -o json`: the one description of their shape. Keys may be added, never renamed. */

import { z } from 'zod';

/** `problem`: VIPs are not reached, or break, until someone mends it. `warning`: worth knowing of, and works without. */
const state = z.enum(['ok', 'warning', 'problem']);

const finding = z.object({
  /** Under which heading people look for it. */
  group: z.enum(['Kernel', 'Settings', 'This process', 'Network', 'Limits', 'Names']),
  /** What was looked at: `module ip_vs`, `sysctl net.ipv4.ip_forward`. Unique. */
  check: z.string(),
  state,
  found: z.string(),
  /** What it should be; null where that goes without saying. */
  wanted: z.string().nullable(),
  /** What goes wrong otherwise, or why it is wanted on this kernel. */
  why: z.string().nullable(),
  /** What mends it, as a line for a root shell on this host; null where there is nothing to mend. */
  command: z.string().nullable(),
});

export const doctorDocument = z.object({
  apiVersion: z.literal('marathon-ipvs/v1'),
  at: z.iso.datetime(),
  kernel: z.string(),
  /** The running controller that was asked; null: none answered. */
  controller: z.string().nullable(),
  summary: z.object({ ok: z.number(), warning: z.number(), problem: z.number() }),
  findings: z.array(finding),
});

export type DoctorDocument = z.infer<typeof doctorDocument>;
export type Finding = z.infer<typeof finding>;

/** All is as wanted. */
export function fine(group: Finding['group'], check: string, found: string): Finding {
  return { group, check, state: 'ok', found, wanted: null, why: null, command: null };
}
