/** The schema of `GET /v1/doctor` and `marathon-ipvs doctor -o json`. Keys may be added, never renamed. */

import { z } from 'zod';
import { apiVersion, count, instant } from '../status/schemas.ts';
import { type CheckCode, checkCodes, GROUPS } from './table.ts';

const state = z.enum(['ok', 'warning', 'problem']);

const finding = z.object({
  code: z.enum(checkCodes).describe('The check that found it. A check may have several findings.'),
  group: z.enum(GROUPS).describe('Heading that it is listed under.'),
  check: z.string().describe('What was checked: module ip_vs, sysctl net.ipv4.ip_forward. Unique.'),
  state: state.describe(
    'problem: VIPs cannot be reached, or will break, until it is fixed. warning: VIPs work, but it should be known.',
  ),
  found: z.string().describe('The current state.'),
  wanted: z.string().nullable().describe('The wanted state; null if it is obvious.'),
  why: z
    .string()
    .nullable()
    .describe('What goes wrong otherwise, or why this kernel needs it; null if there is nothing to say.'),
  command: z
    .string()
    .nullable()
    .describe(
      'The fix, which survives a reboot, as a line for a root shell on the host itself (not in a container), in that network namespace; null if no command can fix it.',
    ),
  after: z
    .string()
    .nullable()
    .describe('The `check` of a finding to fix first, which may fix this one too; null if there is none.'),
});

export const doctorDocument = z.object({
  apiVersion,
  at: instant.describe('When the host was examined.'),
  kernel: z.string().describe('Release of the kernel, as `uname -r` prints it.'),
  namespace: z
    .string()
    .nullable()
    .describe('Path of the network namespace that was examined (--netns); null for the host.'),
  controller: z
    .string()
    .nullable()
    .describe('URL of the running controller that was queried; null if none answered.'),
  summary: z
    .object({
      ok: count.describe('Checks that passed.'),
      warning: count.describe('Warnings.'),
      problem: count.describe('Problems.'),
    })
    .describe('Number of findings in each state.'),
  findings: z.array(finding).describe('By group.'),
});

export type DoctorDocument = z.infer<typeof doctorDocument>;
export type Finding = z.infer<typeof finding>;

/** A finding as a check returns it; `examine` adds the rest from the table of checks. */
export type Found = Omit<Finding, 'group' | 'after'>;

/** Creates the finding of a check that passed. */
export function fine(code: CheckCode, check: string, found: string): Found {
  return { code, check, state: 'ok', found, wanted: null, why: null, command: null };
}
