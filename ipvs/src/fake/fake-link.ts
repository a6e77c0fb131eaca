import type { Link, LinkEvents } from '../transport.ts';

/** As many as the real one allows with the usual buffer. */
const WINDOW = 200;

/** A link to something that answers a send with datagrams. */
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
      // A copy, as a kernel makes: the sender uses the bytes again.
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
