import type { MassRemoval } from './brake.ts';

/** A held mass removal in a line: how much would go, of how much. */
export function heldText({ vips, ofVips, backends, ofBackends }: MassRemoval): string {
  return (
    `${vips} of ${ofVips} VIPs and ${backends} of ${ofBackends} backends in rotation would go at once, only because ` +
    'the sources do not mention them or have lost their health results'
  );
}
