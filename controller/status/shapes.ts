/** Parts that several documents of `/v1` have. */

import { z } from 'zod';

export const apiVersion = z.literal('marathon-ipvs/v1').describe('Keys may be added to it, never renamed.');
export const instant = z.iso.datetime();
export const count = z.number().nonnegative();
export const portNumber = z.int().min(0).max(65_535);

/** Something that could not be used, told so that its author finds it. */
export const rejection = z.object({
  app: z.string().describe("Id of the app or pod; the file's path where there is no app."),
  at: z
    .string()
    .describe('Path in its JSON, as portDefinitions[0].labels.VIP_0; empty for the whole document.'),
  value: z.string().describe('The offending value as text, cut to a readable length.'),
  reason: z.string().describe('What was expected, or why it is refused.'),
});

/** How a VIP is called. */
export const called = {
  name: z.string().nullable().describe('Cleaned for DNS: my-service; null for an IP VIP.'),
  framework: z.string().nullable().describe('Cleaned for DNS: marathon; null for an IP VIP.'),
  fqdn: z.string().nullable().describe('Name with framework and zone; null for an IP VIP.'),
};

export const protocol = z.string().describe('tcp or udp.');
export const scheduler = z.string().describe("The kernel's short name: wlc.");
export const persistenceSeconds = count.describe(
  'For how long a client stays with its backend; 0: it does not.',
);
export const forward = z
  .string()
  .describe('How packets get to it: masquerade, and for what others made, as the kernel has it.');
