/** `GET /v1/doctor` and `marathon-ipvs doctor -o json`: the one description of their shape. Keys may be added, never renamed. */

import { z } from 'zod';
import { apiVersion, count, instant } from '../status/shapes.ts';
import { type CheckCode, checkCodes, GROUPS } from './table.ts';

const state = z.enum(['ok', 'warning', 'problem']);

const finding = z.object({
  code: z.enum(checkCodes).describe('Which check found it. Of one check there may be several findings.'),
  group: z.enum(GROUPS).describe('Under which heading people look for it.'),
  check: z.string().describe('What was looked at: module ip_vs, sysctl net.ipv4.ip_forward. Unique.'),
  state: state.describe(
    'problem: VIPs are not reached, or break, until someone fixes it. warning: worth knowing of, and works without.',
  ),
  found: z.string().describe('What it is.'),
  wanted: z.string().nullable().describe('What it should be; null where that goes without saying.'),
  why: z
    .string()
    .nullable()
    .describe(
      'What goes wrong otherwise, or why it is wanted on this kernel; null where there is nothing to say.',
    ),
  command: z
    .string()
    .nullable()
    .describe(
      'What fixes it, also after a reboot, as a line for a root shell on the host itself (not in a container), in that network namespace; null where no line can.',
    ),
  after: z
    .string()
    .nullable()
    .describe(
      'The `check` of another finding that is fixed first, since this one may be gone then; null where there is none.',
    ),
});

export const doctorDocument = z.object({
  apiVersion,
  at: instant.describe('When the host was examined.'),
  kernel: z.string().describe('Release of the kernel, as `uname -r` prints it.'),
  namespace: z
    .string()
    .nullable()
    .describe('Path of the network namespace that was examined (--netns); null: that of the host.'),
  controller: z
    .string()
    .nullable()
    .describe('URL of the running controller that was asked; null: none answered.'),
  summary: z
    .object({
      ok: count.describe('Findings that are as wanted.'),
      warning: count.describe('Warnings.'),
      problem: count.describe('Problems.'),
    })
    .describe('How many findings there are of each state.'),
  findings: z.array(finding).describe('By group.'),
});

export type DoctorDocument = z.infer<typeof doctorDocument>;
export type Finding = z.infer<typeof finding>;

/** What a check finds; the rest comes from the table of checks. */
export type Found = Omit<Finding, 'group' | 'after'>;

/** All is as wanted. */
export function fine(code: CheckCode, check: string, found: string): Found {
  return { code, check, state: 'ok', found, wanted: null, why: null, command: null };
}
