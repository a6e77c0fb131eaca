import type { Link, LinkEvents } from '../transport.ts';

/** The window of the real socket with the default receive buffer. */
const WINDOW = 200;

/** A link to a function that answers each send with datagrams. */
export function fakeLink(
  answer: (bytes: Uint8Array) => readonly Uint8Array[],
  immediate: boolean,
  events: LinkEvents,
): Link {
  const queue: Uint8Array[] = [];
  let open = true;
  return {
    window: WINDOW,
    send(bytes) {
      // A copy, as in the kernel: the sender reuses the bytes.
      const datagrams = answer(bytes.slice());
      if (immediate) queue.push(...datagrams);
      else for (const datagram of datagrams) later(() => open && events.datagram(datagram, false));
    },
    ...(immediate && {
      receiveNow(into: Uint8Array): number {
        const datagram = queue.shift();
        if (!datagram) return 0;
        into.set(datagram);
        return datagram.length;
      },
    }),
    close() {
      open = false;
    },
  };
}

function later(report: () => void): void {
  setImmediate(report);
}
